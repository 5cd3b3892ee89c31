//! Columns that grow by a value a record, straight from its JSON text.

use super::field::{Field, Kind};
use super::schema;
use super::stray::{Path, Strays};
use crate::json::Cursor;
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, StringBuilder,
    TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, ListArray, StructArray};
use arrow_buffer::{NullBuffer, NullBufferBuilder, OffsetBuffer};
use arrow_schema::{FieldRef, Fields};
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

/// The values of a column so far.
#[derive(Debug)]
pub(super) enum Column {
    Text(StringBuilder),
    Json(StringBuilder),
    TextOrJson(StringBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Timestamp(TimestampMillisecondBuilder),
    Struct(StructColumn),
    List(Box<ListColumn>),
}

/// The objects of a column: one column for each member.
#[derive(Debug)]
pub(super) struct StructColumn {
    fields: Fields,
    members: Vec<(&'static str, Column)>,
    /// Positions of the members that stood first, second, … in an object: the next object has them
    /// in the same order.
    order: Vec<usize>,
    validity: NullBufferBuilder,
}

/// The lists of a column: all elements in one column, and how many each list has.
#[derive(Debug)]
pub(super) struct ListColumn {
    field: FieldRef,
    elements: Column,
    lengths: Vec<usize>,
    validity: NullBufferBuilder,
}

impl Column {
    pub(super) fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Json => Self::Json(StringBuilder::new()),
            Kind::TextOrJson => Self::TextOrJson(StringBuilder::new()),
            Kind::Int32 => Self::Int32(Int32Builder::new()),
            Kind::Int64 => Self::Int64(Int64Builder::new()),
            Kind::Double => Self::Double(Float64Builder::new()),
            Kind::Boolean => Self::Boolean(BooleanBuilder::new()),
            Kind::Timestamp => Self::Timestamp(
                TimestampMillisecondBuilder::new()
                    .with_data_type(schema::data_type(&Kind::Timestamp)),
            ),
            Kind::Struct(members) => Self::Struct(StructColumn::of(members)),
            Kind::List(element) => Self::List(Box::new(ListColumn::of(element))),
        }
    }

    /// Takes the value at `cursor`. What has another type than declared is null here and goes to
    /// `strays`.
    fn take<'json>(
        &mut self,
        cursor: &mut Cursor<'json>,
        path: Path<'_>,
        strays: &mut Strays<'json>,
    ) {
        match (&mut *self, cursor.peek()) {
            (Self::Struct(column), b'{') => return column.take(cursor, path, strays),
            (Self::List(column), b'[') => return column.take(cursor, path, strays),
            _ => {}
        }
        let json = cursor.value();
        if json == b"null" {
            self.take_nothing();
        } else if !self.take_scalar(json) {
            self.take_nothing();
            strays.keep(path, json);
        }
    }

    /// Takes a value that is neither object nor list, unless it has another type than declared.
    fn take_scalar(&mut self, json: &[u8]) -> bool {
        match self {
            Self::Text(column) => unquoted(json).map(|value| column.append_value(value)).is_some(),
            Self::Json(column) => {
                column.append_value(String::from_utf8_lossy(json));
                true
            }
            Self::TextOrJson(column) => {
                let text = unquoted(json).unwrap_or_else(|| String::from_utf8_lossy(json));
                column.append_value(text);
                true
            }
            Self::Int32(column) => parsed(json).map(|value| column.append_value(value)).is_some(),
            Self::Int64(column) => parsed(json).map(|value| column.append_value(value)).is_some(),
            Self::Double(column) => {
                let value = parsed(json).filter(|value: &f64| value.is_finite());
                value.map(|value| column.append_value(value)).is_some()
            }
            Self::Boolean(column) => parsed(json).map(|value| column.append_value(value)).is_some(),
            Self::Timestamp(column) => {
                milliseconds(json).map(|value| column.append_value(value)).is_some()
            }
            Self::Struct(_) | Self::List(_) => false,
        }
    }

    fn take_nothing(&mut self) {
        match self {
            Self::Text(column) | Self::Json(column) | Self::TextOrJson(column) => {
                column.append_null();
            }
            Self::Int32(column) => column.append_null(),
            Self::Int64(column) => column.append_null(),
            Self::Double(column) => column.append_null(),
            Self::Boolean(column) => column.append_null(),
            Self::Timestamp(column) => column.append_null(),
            Self::Struct(column) => column.end_row(false),
            Self::List(column) => column.end_row(None),
        }
    }

    fn len(&self) -> usize {
        use arrow_array::builder::ArrayBuilder as _;
        match self {
            Self::Text(column) | Self::Json(column) | Self::TextOrJson(column) => column.len(),
            Self::Int32(column) => column.len(),
            Self::Int64(column) => column.len(),
            Self::Double(column) => column.len(),
            Self::Boolean(column) => column.len(),
            Self::Timestamp(column) => column.len(),
            Self::Struct(column) => column.len(),
            Self::List(column) => column.lengths.len(),
        }
    }

    /// All values; the column is empty afterwards.
    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) | Self::Json(column) | Self::TextOrJson(column) => {
                Arc::new(column.finish())
            }
            Self::Int32(column) => Arc::new(column.finish()),
            Self::Int64(column) => Arc::new(column.finish()),
            Self::Double(column) => Arc::new(column.finish()),
            Self::Boolean(column) => Arc::new(column.finish()),
            Self::Timestamp(column) => Arc::new(column.finish()),
            Self::Struct(column) => {
                let (members, validity) = column.finish();
                Arc::new(StructArray::new(column.fields.clone(), members, validity))
            }
            Self::List(column) => column.finish(),
        }
    }
}

impl StructColumn {
    pub(super) fn of(members: &'static [Field]) -> Self {
        Self {
            fields: schema::arrow_fields(members),
            members: members
                .iter()
                .map(|member| (member.graph_name, Column::of(&member.kind)))
                .collect(),
            order: Vec::new(),
            validity: NullBufferBuilder::new(0),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.validity.len()
    }

    /// Takes a whole record as a row. One that is no object leaves the row empty.
    pub(super) fn take_record<'json>(
        &mut self,
        cursor: &mut Cursor<'json>,
        strays: &mut Strays<'json>,
    ) {
        if cursor.peek() == b'{' {
            return self.take(cursor, Path::Record, strays);
        }
        strays.keep(Path::Record, cursor.value());
        self.end_row(false);
    }

    /// Takes the object at `cursor`. Of a member that is there twice the first counts.
    fn take<'json>(
        &mut self,
        cursor: &mut Cursor<'json>,
        path: Path<'_>,
        strays: &mut Strays<'json>,
    ) {
        let row = self.len();
        let mut place = 0;
        cursor.open();
        while let Some(quoted) = cursor.next_key() {
            let key = quoted.get(1..quoted.len() - 1).unwrap_or_default();
            let path = Path::Member(&path, key);
            let member = self.member(place, &unescaped(key));
            place += 1;
            match member {
                Some(member) if member.len() == row => member.take(cursor, path, strays),
                _ => strays.keep(path, cursor.value()),
            }
        }
        self.end_row(true);
    }

    /// Ends a row: whatever it did not hold is null.
    fn end_row(&mut self, is_there: bool) {
        let row = self.len();
        for (_, member) in &mut self.members {
            if member.len() == row {
                member.take_nothing();
            }
        }
        self.validity.append(is_there);
    }

    /// The column of each member, and which rows are there; all are empty afterwards.
    pub(super) fn finish(&mut self) -> (Vec<ArrayRef>, Option<NullBuffer>) {
        let members = self.members.iter_mut().map(|(_, member)| member.finish()).collect();
        (members, self.validity.finish())
    }

    /// The member with that key, which stands at that place of an object. Graph is not strict about
    /// the case of a key.
    fn member(&mut self, place: usize, key: &[u8]) -> Option<&mut Column> {
        let known = self.order.get(place).copied().filter(|index| {
            self.members.get(*index).is_some_and(|(name, _)| name.as_bytes() == key)
        });
        let index = known.or_else(|| self.find(place, key))?;
        self.members.get_mut(index).map(|(_, member)| member)
    }

    /// Looks for the member with that key, and remembers its place.
    fn find(&mut self, place: usize, key: &[u8]) -> Option<usize> {
        let exact = self.members.iter().position(|(name, _)| name.as_bytes() == key);
        let index = exact.or_else(|| {
            self.members.iter().position(|(name, _)| name.as_bytes().eq_ignore_ascii_case(key))
        })?;
        // A hostile object has any number of members; those beyond the known ones are looked for.
        if place < self.members.len() {
            self.order.resize(self.order.len().max(place + 1), usize::MAX);
            self.order[place] = index;
        }
        Some(index)
    }
}

impl ListColumn {
    fn of(element: &'static Kind) -> Self {
        Self {
            field: schema::list_element(element),
            elements: Column::of(element),
            lengths: Vec::new(),
            validity: NullBufferBuilder::new(0),
        }
    }

    fn take<'json>(
        &mut self,
        cursor: &mut Cursor<'json>,
        path: Path<'_>,
        strays: &mut Strays<'json>,
    ) {
        cursor.open();
        let mut length = 0;
        while cursor.next_element() {
            self.elements.take(cursor, Path::Element(&path, length), strays);
            length += 1;
        }
        self.end_row(Some(length));
    }

    fn end_row(&mut self, length: Option<usize>) {
        self.lengths.push(length.unwrap_or(0));
        self.validity.append(length.is_some());
    }

    fn finish(&mut self) -> ArrayRef {
        let offsets = OffsetBuffer::from_lengths(self.lengths.drain(..));
        let elements = self.elements.finish();
        Arc::new(ListArray::new(Arc::clone(&self.field), offsets, elements, self.validity.finish()))
    }
}

/// A key without its escapes: `\u0069d` is `id`.
fn unescaped(key: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', key).is_none() {
        return Cow::Borrowed(key);
    }
    let quoted = [b"\"", key, b"\""].concat();
    let unescaped = serde_json::from_slice::<String>(&quoted).ok().map(String::into_bytes);
    unescaped.map_or(Cow::Borrowed(key), Cow::Owned)
}

/// The value of a JSON scalar; `None` where it is of another type.
fn parsed<T: FromStr>(json: &[u8]) -> Option<T> {
    std::str::from_utf8(json).ok()?.parse().ok()
}

/// The content of a JSON string, with U+FFFD for bytes that are no UTF-8; `None` where it is no
/// string, or has escapes that are no Unicode.
fn unquoted(json: &[u8]) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inner).is_none() {
        return Some(String::from_utf8_lossy(inner));
    }
    serde_json::from_str(&String::from_utf8_lossy(json)).ok().map(Cow::Owned)
}

/// Milliseconds since 1970 of a JSON string that holds an instant.
fn milliseconds(json: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(json).ok()?;
    let time = DateTime::parse_from_rfc3339(text.strip_prefix('"')?.strip_suffix('"')?).ok()?;
    Some(floored(time.to_utc()))
}

/// Milliseconds since 1970: finer fractions are cut off, and a leap second is the last millisecond
/// of its minute, so that no time leaves its day.
pub(super) fn floored(time: DateTime<Utc>) -> i64 {
    time.timestamp() * 1000 + i64::from(time.timestamp_subsec_millis().min(999))
}
