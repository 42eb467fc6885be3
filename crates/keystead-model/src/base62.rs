//! Base 62 in ASCII order (`0-9A-Za-z`), so that the order of encoded numbers is the byte order of their text.

/// The digits, ascending in ASCII.
pub const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes `number` into `out`, zero-padded and most significant digit first; digits beyond `out` are dropped.
pub fn write_number(mut number: u64, out: &mut [u8]) {
    for slot in out.iter_mut().rev() {
        *slot = DIGITS[(number % 62) as usize];
        number /= 62;
    }
}

/// Reads what [`write_number`] wrote.
pub fn read_number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, digit| {
        let value = DIGITS.iter().position(|known| known == digit).unwrap_or_default();
        number * 62 + value as u64
    })
}

/// Reads up to 20 digits, which are more than 64 bits.
pub fn read_wide(digits: &[u8]) -> u128 {
    let (high, low) = digits.split_at(digits.len().saturating_sub(10));
    u128::from(read_number(high)) * BASE_TO_10 + u128::from(read_number(low))
}

/// Writes what [`read_wide`] reads.
pub fn write_wide(number: u128, out: &mut [u8]) {
    let (high, low) = out.split_at_mut(out.len().saturating_sub(10));
    write_number((number / BASE_TO_10) as u64, high);
    write_number((number % BASE_TO_10) as u64, low);
}

/// Ten digits fit into 64 bits.
const BASE_TO_10: u128 = 62u128.pow(10);

/// Fills `out` with uniformly distributed digits taken from `random`, by rejection: a byte of 248 or more is thrown
/// away, since 256 is no multiple of 62. `random` is asked for fresh bytes as often as needed.
pub fn fill_random(out: &mut [u8], mut random: impl FnMut(&mut [u8])) {
    let mut pool = [0u8; 64];
    let mut used = pool.len();
    for slot in out {
        *slot = loop {
            if used == pool.len() {
                random(&mut pool);
                used = 0;
            }
            let byte = pool[used];
            used += 1;
            if byte < 248 {
                break DIGITS[usize::from(byte % 62)];
            }
        };
    }
}

/// Whether every byte is a digit of base 62.
pub fn is_base62(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_as_text() {
        let mut earlier = [0; 8];
        let mut later = [0; 8];
        for (a, b) in [(0u64, 1), (9, 10), (35, 36), (61, 62), (3843, 3844), (1_700_000_000_000, 1_700_000_000_001)] {
            write_number(a, &mut earlier);
            write_number(b, &mut later);
            assert!(earlier < later, "{a} and {b}");
            assert_eq!((read_number(&earlier), read_number(&later)), (a, b));
        }
    }

    #[test]
    fn random_digits_come_from_the_whole_alphabet_and_reject_the_remainder() {
        let mut next = 255u8;
        let mut out = [0; 256];
        fill_random(&mut out, |pool| {
            for byte in pool {
                *byte = next;
                next = next.wrapping_sub(1);
            }
        });
        // 255 down to 248 are thrown away: the first digit comes from 247 = 3 × 62 + 61.
        assert_eq!(out[0], b'z');
        assert!(DIGITS.iter().all(|digit| out.contains(digit)));
    }
}
