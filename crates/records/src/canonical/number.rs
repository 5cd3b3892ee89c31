//! Numbers: exact decimals in one form, whatever the number of their digits.

use std::io::Write as _;

/// Appends the scalar at the start of `rest`, which is no string; returns its length.
pub(super) fn translate_scalar(rest: &[u8], tokens: &mut Vec<u8>) -> usize {
    let length =
        rest.iter().position(|byte| b",:}] \t\n\r\"{[".contains(byte)).unwrap_or(rest.len()).max(1);
    let scalar = &rest[..length];
    match Number::parse(scalar) {
        Some(number) => number.write(tokens),
        None => tokens.extend_from_slice(scalar),
    }
    length
}

/// The parts of a number as it was served: `-12.50E+3`.
#[derive(Debug, Clone, Copy)]
struct Number<'json> {
    is_negative: bool,
    integer: &'json [u8],
    fraction: &'json [u8],
    has_negative_exponent: bool,
    exponent: &'json [u8],
}

impl<'json> Number<'json> {
    /// `None` where `scalar` is no number.
    fn parse(scalar: &'json [u8]) -> Option<Self> {
        let unsigned = scalar.strip_prefix(b"-");
        let (integer, rest) = digits(unsigned.unwrap_or(scalar))?;
        let (fraction, rest) = match rest.strip_prefix(b".") {
            Some(rest) => digits(rest)?,
            None => (&b""[..], rest),
        };
        let mut has_negative_exponent = false;
        let mut exponent = &b""[..];
        if let [b'e' | b'E', rest @ ..] = rest {
            has_negative_exponent = rest.starts_with(b"-");
            let rest = rest.strip_prefix(b"-").or_else(|| rest.strip_prefix(b"+")).unwrap_or(rest);
            exponent = digits(rest).filter(|(_, rest)| rest.is_empty())?.0;
        } else if !rest.is_empty() {
            return None;
        }
        Some(Self {
            is_negative: unsigned.is_some(),
            integer,
            fraction,
            has_negative_exponent,
            exponent,
        })
    }

    /// Appends its only form.
    fn write(self, tokens: &mut Vec<u8>) {
        let start = tokens.len();
        tokens.extend(self.is_negative.then_some(b'-'));
        let first_digit = tokens.len();
        tokens.extend_from_slice(without_leading_zeros(self.integer));
        let fraction = if tokens.len() == first_digit {
            without_leading_zeros(self.fraction)
        } else {
            self.fraction
        };
        tokens.extend_from_slice(fraction);
        let significant = tokens[first_digit..].iter().rposition(|&digit| digit != b'0');
        let Some(last) = significant else {
            tokens.truncate(start);
            return tokens.push(b'0');
        };
        let zeros = tokens.len() - first_digit - last - 1;
        tokens.truncate(first_digit + last + 1);
        tokens.push(b'e');
        push_exponent(
            self.has_negative_exponent,
            self.exponent,
            zeros,
            self.fraction.len(),
            tokens,
        );
    }
}

/// Appends the exponent, raised by `raise` and lowered by `lower`. It has any number of digits.
fn push_exponent(
    is_negative: bool,
    exponent: &[u8],
    raise: usize,
    lower: usize,
    tokens: &mut Vec<u8>,
) {
    // No text has as many bytes as an integer counts, so neither of them nor their difference
    // overflows.
    let change =
        i64::try_from(raise).unwrap_or(i64::MAX) - i64::try_from(lower).unwrap_or(i64::MAX);
    let mut digits = without_leading_zeros(exponent).to_vec();
    if digits.len() <= 17 {
        let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        let sum = if is_negative { change - value } else { change + value };
        let _ = write!(tokens, "{sum}"); // writing to a vector cannot fail
        return;
    }
    // The exponent is greater than any change, so that its sign stays.
    let mut carry = if is_negative { -change } else { change };
    for digit in digits.iter_mut().rev() {
        let sum = i64::from(*digit - b'0') + carry;
        *digit = b'0' + sum.rem_euclid(10).to_le_bytes()[0];
        carry = sum.div_euclid(10);
    }
    if carry > 0 {
        digits.insert(0, b'0' + carry.to_le_bytes()[0]);
    }
    tokens.extend(is_negative.then_some(b'-'));
    tokens.extend_from_slice(without_leading_zeros(&digits));
}

/// The digits at the start of `text`, of which there must be one, and what follows them.
fn digits(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    (length > 0).then(|| text.split_at(length))
}

fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().position(|&digit| digit != b'0').unwrap_or(digits.len());
    &digits[zeros..]
}
