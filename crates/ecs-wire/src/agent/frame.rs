//! The envelope of every message: `{"type": …, "message": {…}}`, the same both ways.
//!
//! A type that is not known here becomes [`Frame::Unknown`], which its receiver logs and drops; a known type with a
//! body that does not fit is an error. `type` stands before `message`, as Amazon's agent writes it: bodies are read
//! without being copied first.

use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::{
    AckRequest, CloseMessage, ErrorMessage, ExceptionMessage, HeartbeatAckRequest, HeartbeatMessage,
    IamRoleCredentialsAckRequest, IamRoleCredentialsMessage, NackRequest, PayloadMessage, TaskManifestMessage,
    TaskStopVerificationAck, TaskStopVerificationMessage,
};

macro_rules! frames {
    ($($name:ident = $wire:literal ($body:ty)),+ $(,)?) => {
        /// One message between server and node.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "type", content = "message")]
        pub enum Frame {
            $(
                #[doc = concat!("`", $wire, "`.")]
                #[serde(rename = $wire)]
                $name($body),
            )+
            /// A message of this type, which nobody here knows; its body is not kept. It is only received, never sent.
            #[serde(skip)]
            Unknown(String),
        }

        impl Frame {
            /// The frame's `type`.
            pub fn type_name(&self) -> &str {
                match self {
                    $(Frame::$name(_) => $wire,)+
                    Frame::Unknown(name) => name,
                }
            }
        }

        fn read_body<'de, A: MapAccess<'de>>(name: String, map: &mut A) -> Result<Frame, A::Error> {
            match name.as_str() {
                $($wire => map.next_value().map(Frame::$name),)+
                _ => map.next_value::<IgnoredAny>().map(|_| Frame::Unknown(name)),
            }
        }

        fn without_body<E: de::Error>(name: String) -> Result<Frame, E> {
            match name.as_str() {
                $($wire)|+ => Err(de::Error::missing_field("message")),
                _ => Ok(Frame::Unknown(name)),
            }
        }
    };
}

frames! {
    Payload = "PayloadMessage" (PayloadMessage),
    Ack = "AckRequest" (AckRequest),
    Nack = "NackRequest" (NackRequest),
    Heartbeat = "HeartbeatMessage" (HeartbeatMessage),
    HeartbeatAck = "HeartbeatAckRequest" (HeartbeatAckRequest),
    IamRoleCredentials = "IAMRoleCredentialsMessage" (IamRoleCredentialsMessage),
    IamRoleCredentialsAck = "IAMRoleCredentialsAckRequest" (IamRoleCredentialsAckRequest),
    TaskManifest = "TaskManifestMessage" (TaskManifestMessage),
    TaskStopVerification = "TaskStopVerificationMessage" (TaskStopVerificationMessage),
    TaskStopVerificationAck = "TaskStopVerificationAck" (TaskStopVerificationAck),
    Close = "CloseMessage" (CloseMessage),
    Error = "ErrorMessage" (ErrorMessage),
    ServerException = "ServerException" (ExceptionMessage),
    BadRequestException = "BadRequestException" (ExceptionMessage),
    InvalidClusterException = "InvalidClusterException" (ExceptionMessage),
    InvalidInstanceException = "InvalidInstanceException" (ExceptionMessage),
    AccessDeniedException = "AccessDeniedException" (ExceptionMessage),
    InactiveInstanceException = "InactiveInstanceException" (ExceptionMessage),
}

impl<'de> Deserialize<'de> for Frame {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FrameVisitor;

        impl<'de> Visitor<'de> for FrameVisitor {
            type Value = Frame;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `type` and `message`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Frame, A::Error> {
                let mut name: Option<String> = None;
                let mut frame: Option<Frame> = None;
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "type" => name = Some(map.next_value()?),
                        "message" => {
                            let known =
                                name.clone().ok_or_else(|| de::Error::custom("`type` must stand before `message`"))?;
                            frame = Some(read_body(known, &mut map)?);
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                match (frame, name) {
                    (Some(frame), _) => Ok(frame),
                    (None, Some(name)) => without_body(name),
                    (None, None) => Err(de::Error::missing_field("type")),
                }
            }
        }

        deserializer.deserialize_map(FrameVisitor)
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
