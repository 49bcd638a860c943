//! What all modelled errors have in common.
//!
//! Each operation has an enumeration of exactly the errors the model lists for it. On the wire an
//! error is `{"__type": code, "message": message}`; whoever serves HTTP writes that body from this
//! trait.

/// A modelled error of an operation.
pub trait ApiError {
    /// The error's name in the model, which is `__type` on the wire.
    fn code(&self) -> &'static str;

    /// The text for the caller.
    fn message(&self) -> &str;

    /// 400 for the caller's errors, 500 for the server's.
    fn http_status(&self) -> u16;

    /// The wire member `resourceIds`, which only `ConflictException` has.
    fn resource_ids(&self) -> Option<&[String]>;
}

/// Declares an operation's errors: one variant per code with its HTTP status.
macro_rules! operation_errors {
    (
        $(#[$about:meta])*
        $name:ident {
            $($code:ident $({ $ids:ident })? = $status:literal,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $(
                #[doc = concat!("`", stringify!($code), "`, HTTP status ", stringify!($status), ".")]
                $code {
                    /// The text for the caller.
                    message: String,
                    $(
                        /// The resources the error names.
                        $ids: Vec<String>,
                    )?
                },
            )+
        }

        impl $name {
            /// The codes of all variants, sorted.
            pub const CODES: &'static [&'static str] = &[$(stringify!($code)),+];

            /// The variant of that code, or `None` when the operation does not have it.
            ///
            /// `resource_ids` reaches only the variants that carry them.
            pub fn from_code(code: &str, message: String, resource_ids: Vec<String>) -> Option<Self> {
                let _ = &resource_ids;
                match code {
                    $(stringify!($code) => Some(Self::$code {
                        message,
                        $($ids: resource_ids,)?
                    }),)+
                    _ => None,
                }
            }
        }

        impl $crate::ApiError for $name {
            fn code(&self) -> &'static str {
                match self {
                    $(Self::$code { .. } => stringify!($code),)+
                }
            }

            fn message(&self) -> &str {
                match self {
                    $(Self::$code { message, .. } => message,)+
                }
            }

            fn http_status(&self) -> u16 {
                match self {
                    $(Self::$code { .. } => $status,)+
                }
            }

            fn resource_ids(&self) -> Option<&[String]> {
                $($(
                    if let Self::$code { $ids, .. } = self {
                        return Some($ids);
                    }
                )?)+
                None
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, text: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::error::write(self, text)
            }
        }

        impl std::error::Error for $name {}
    };
}

pub(crate) use operation_errors;

/// `Code: message`, as SDKs print it.
pub(crate) fn write(error: &dyn ApiError, text: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    write!(text, "{}: {}", error.code(), error.message())
}
