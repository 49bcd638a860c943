//! About how many bytes of memory a value takes, by what it would serialise.
//!
//! A small body can be a large value (`{}` may be a container definition with fifty absent members), so the memory that
//! waits for the writer is judged by the values, not by the bytes they came in. Absent members of derived structures
//! count; those of the ECS API do not tell how many members they leave out and count a flat sum. The spare room of
//! collections is not seen, and shared parts count wherever they occur.

use std::fmt::{self, Display, Write};

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// Bytes of a text or collection beside its contents, and of a member that may be either.
const HEADER: usize = size_of::<String>();
/// Bytes of anything smaller.
const WORD: usize = size_of::<u64>();
/// Bytes of a structure that does not say how much it leaves out: between a tag and a container definition.
const STRUCTURE: usize = 256;

/// About how many bytes `value` takes.
pub(crate) fn of<T: Serialize>(value: &T) -> usize {
    let mut bytes = Bytes(0);
    // A value that does not serialise is counted as far as it did.
    let _counted = value.serialize(&mut bytes);
    bytes.0
}

struct Bytes(usize);

impl Bytes {
    fn add(&mut self, bytes: usize) {
        self.0 = self.0.saturating_add(bytes);
    }
}

impl Write for Bytes {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.add(text.len());
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the value does not serialise")]
struct Unserialisable;

impl serde::ser::Error for Unserialisable {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

/// Numbers and the like.
macro_rules! words {
    ($($method:ident($value:ty))+) => {
        $(fn $method(self, _: $value) -> Result<(), Unserialisable> {
            self.add(WORD);
            Ok(())
        })+
    };
}

impl Serializer for &mut Bytes {
    type Ok = ();
    type Error = Unserialisable;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    words! {
        serialize_bool(bool) serialize_char(char) serialize_f32(f32) serialize_f64(f64) serialize_unit_struct(&'static str)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
    }

    fn serialize_str(self, text: &str) -> Result<(), Unserialisable> {
        self.add(HEADER + text.len());
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Unserialisable> {
        self.add(HEADER + bytes.len());
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Unserialisable> {
        self.add(HEADER);
        write!(self, "{value}").map_err(|_| Unserialisable)
    }

    fn serialize_none(self) -> Result<(), Unserialisable> {
        self.add(WORD);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unserialisable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unserialisable> {
        self.add(WORD);
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Unserialisable> {
        self.add(WORD);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unserialisable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unserialisable> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Unserialisable> {
        self.add(HEADER);
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Unserialisable> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Unserialisable> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Unserialisable> {
        Ok(self)
    }

    fn serialize_map(self, entries: Option<usize>) -> Result<Self, Unserialisable> {
        self.add(if entries.is_some() { HEADER } else { STRUCTURE });
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unserialisable> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Unserialisable> {
        Ok(self)
    }
}

/// The parts of a value, each counted by itself.
macro_rules! parts {
    ($($part:ident::$method:ident($($name:ident)?) $(absent $absent:ident)?;)+) => {
        $(impl $part for &mut Bytes {
            type Ok = ();
            type Error = Unserialisable;

            fn $method<T: Serialize + ?Sized>(&mut self, $($name: &'static str,)? value: &T) -> Result<(), Unserialisable> {
                value.serialize(&mut **self)
            }

            $(fn $absent(&mut self, _: &'static str) -> Result<(), Unserialisable> {
                self.add(HEADER);
                Ok(())
            })?

            fn end(self) -> Result<(), Unserialisable> {
                Ok(())
            }
        })+
    };
}

parts! {
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(_name) absent skip_field;
    SerializeStructVariant::serialize_field(_name) absent skip_field;
}

impl SerializeMap for &mut Bytes {
    type Ok = ();
    type Error = Unserialisable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unserialisable> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unserialisable> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Unserialisable> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::{HEADER, WORD, of};

    #[derive(Serialize, Default)]
    struct Value {
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        more: Option<Vec<Value>>,
        number: u64,
    }

    #[test]
    fn members_count_absent_or_not_and_texts_and_elements_beside_them() {
        let empty = size_of::<Value>();
        assert_eq!(of(&Value::default()), empty);
        let named = |name: &str| Value { name: Some(name.into()), ..Value::default() };
        assert_eq!(of(&named("12345")), empty + 5);
        let more = Some(vec![named("123"), Value::default()]);
        assert_eq!(of(&Value { more, ..Value::default() }), 3 * empty + 3);
    }

    #[test]
    fn what_says_nothing_takes_room_all_the_same() {
        let many: Vec<Value> = (0..1000).map(|_| Value::default()).collect();
        assert!(of(&many) >= 1000 * size_of::<Value>());
    }

    #[test]
    fn structures_of_the_api_take_room_also_when_they_are_empty() {
        let container = longshore_ecs_wire::shapes::ContainerDefinition::default();
        assert_eq!(serde_json::to_string(&container).unwrap(), "{}");
        let containers = vec![container; 1000];
        assert!(of(&containers) * 8 > 1000 * size_of_val(&containers[0]));
    }

    #[test]
    fn keys_values_and_displayed_values_count() {
        let map = BTreeMap::from([("key".to_owned(), 5)]);
        assert_eq!(of(&map), 2 * HEADER + 3 + WORD);
        assert_eq!(of(&std::net::Ipv4Addr::LOCALHOST), HEADER + "127.0.0.1".len());
    }
}
