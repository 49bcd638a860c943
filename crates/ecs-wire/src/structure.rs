//! How structures are read and written.
//!
//! A structure is a JSON object and nothing else: serde's derived code would also take an array of
//! the members' values. Absent members and `null` are the same, unknown members are skipped, of a
//! member given twice the last one counts, and absent members are not written.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Shape;

/// The members of a structure on the wire; positions are those of [`Shape::MEMBERS`].
pub(crate) trait Wire: Default + Shape {
    /// Takes the value of the member at that position.
    fn read<'de, M: MapAccess<'de>>(&mut self, position: usize, map: &mut M) -> Result<(), M::Error>;

    /// Writes every member that is there.
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;
}

/// Implements serde's traits for a structure that is [`Wire`].
macro_rules! structure {
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::structure::deserialize(deserializer)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::structure::serialize(self, serializer)
            }
        }
    };
}

pub(crate) use structure;

/// Reads an object.
pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Wire,
{
    deserializer.deserialize_map(Object(PhantomData))
}

/// Writes an object.
pub(crate) fn serialize<S: Serializer, T: Wire>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    value.write(&mut map)?;
    map.end()
}

/// Writes one member if it is there.
pub(crate) fn entry<M: SerializeMap, T: Serialize>(
    map: &mut M,
    name: &'static str,
    value: &Option<T>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(name, value),
        None => Ok(()),
    }
}

/// Passes over the value of a member that no structure has.
pub(crate) fn skip<'de, M: MapAccess<'de>>(map: &mut M) -> Result<(), M::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Wire> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<T, M::Error> {
        let mut value = T::default();
        while let Some(position) = map.next_key_seed(Position(PhantomData::<T>))? {
            match position {
                Some(position) => value.read(position, &mut map)?,
                None => skip(&mut map)?,
            }
        }
        Ok(value)
    }
}

/// Reads a member's name as its position, if the structure has it.
struct Position<T>(PhantomData<T>);

impl<'de, T: Shape> DeserializeSeed<'de> for Position<T> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T: Shape> Visitor<'_> for Position<T> {
    type Value = Option<usize>;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a member's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(T::MEMBERS.iter().position(|member| member.name == name))
    }
}
