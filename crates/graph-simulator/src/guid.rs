//! Repeatable randomness: seeds mixed from numbers, and GUIDs drawn from them.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Mixes any numbers into one well-spread seed (splitmix64 over each).
pub(crate) fn mix(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0x9E37_79B9_7F4A_7C15, |state, number| {
        let mut value = state.wrapping_add(*number).wrapping_add(0x9E37_79B9_7F4A_7C15);
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    })
}

/// Writes a version 4 GUID made of these 128 bits.
pub(crate) fn write(out: &mut Vec<u8>, bits: u128) {
    let mut bytes = bits.to_be_bytes();
    bytes[6] = 0x40 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let mut text = [b'-'; 36];
    let mut position = 0;
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            position += 1;
        }
        text[position] = HEX[usize::from(byte >> 4)];
        text[position + 1] = HEX[usize::from(byte & 0x0f)];
        position += 2;
    }
    out.extend_from_slice(&text);
}

pub(crate) fn text(bits: u128) -> String {
    let mut out = Vec::with_capacity(36);
    write(&mut out, bits);
    String::from_utf8(out).unwrap_or_default()
}

/// A GUID that depends on nothing but these numbers.
pub(crate) fn of(numbers: &[u64]) -> String {
    text(u128::from(mix(numbers)) << 64 | u128::from(mix(&[mix(numbers), 1])))
}

/// A GUID for a request: different each time.
pub(crate) fn random() -> String {
    text(fastrand::u128(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_have_the_version_4_form() {
        let guid = of(&[1, 2, 3]);
        assert_eq!(guid.len(), 36);
        assert_eq!(guid.as_bytes()[14], b'4');
        assert_eq!(guid, of(&[1, 2, 3]));
        assert_ne!(guid, of(&[1, 2, 4]));
    }
}
