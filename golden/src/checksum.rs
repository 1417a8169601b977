//! The Internet checksum (RFC 1071) and the pseudo headers of TCP and UDP (RFC 9293, 768, 8200 section 8.1).

/// A running ones' complement sum of big-endian 16-bit words.
///
/// Every chunk that is added counts as if it began at an even offset; only the last one may have an odd length (it is
/// padded with a zero byte, RFC 1071 section 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(u64);

impl Sum {
    /// The empty sum.
    pub fn new() -> Self {
        Self(0)
    }

    /// Adds the bytes, first byte most significant.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        let mut sum = self.0;
        // 2^16 is 1 modulo 0xFFFF, so 32-bit words may be added instead of 16-bit ones (RFC 1071 section 2, "Parallel
        // summation"). At most 2^32 of them fit in 64 bits.
        let mut words = bytes.chunks_exact(4);
        for w in &mut words {
            sum += u64::from(u32::from_be_bytes([w[0], w[1], w[2], w[3]]));
        }
        let mut last = [0; 4];
        let rest = words.remainder();
        last[..rest.len()].copy_from_slice(rest);
        Self(sum + u64::from(u32::from_be_bytes(last)))
    }

    /// Adds a number as its big-endian 32-bit representation (a 16-bit one as it is).
    #[must_use]
    pub fn number(self, value: u32) -> Self {
        Self(self.0 + u64::from(value))
    }

    /// The sum with its carries added back in ("end around carry").
    pub fn fold(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xFFFF {
            sum = (sum >> 16) + (sum & 0xFFFF);
        }
        sum as u16
    }

    /// What a sender puts into the checksum field: the complement of the sum.
    pub fn checksum(self) -> u16 {
        !self.fold()
    }

    /// True if the bytes added, their checksum field among them, are intact: the sum is all ones.
    pub fn is_good(self) -> bool {
        self.fold() == 0xFFFF
    }
}

/// The pseudo header in front of a TCP segment or UDP datagram: both addresses, the upper-layer length and the protocol.
///
/// IPv4 addresses lie in the low 32 bits. The upper 96 bits are then 0 and add nothing, and so the layout of the IPv6
/// pseudo header (RFC 8200 section 8.1) gives the same sum as the one of IPv4 (RFC 9293 section 3.1).
pub fn pseudo_header(src: u128, dst: u128, protocol: u8, length: u32) -> Sum {
    Sum::new()
        .bytes(&src.to_be_bytes())
        .bytes(&dst.to_be_bytes())
        .number(length)
        .number(u32::from(protocol))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1071 section 3: the words 0001 f203 f4f5 f6f7 sum to 2ddf0, which folds to ddf2.
    const RFC1071: [u8; 8] = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];

    #[test]
    fn sum_is_the_rfc_1071_example_when_its_bytes_are_added() {
        assert_eq!(Sum::new().bytes(&RFC1071).fold(), 0xddf2);
        assert_eq!(Sum::new().bytes(&RFC1071).checksum(), 0x220d);
    }

    #[test]
    fn sum_does_not_depend_on_the_cut_when_chunks_are_even() {
        for cut in [0, 2, 4, 6, 8] {
            let (a, b) = RFC1071.split_at(cut);
            assert_eq!(Sum::new().bytes(a).bytes(b).fold(), 0xddf2);
        }
    }

    #[test]
    fn last_byte_counts_as_the_high_one_when_the_length_is_odd() {
        assert_eq!(
            Sum::new().bytes(&[0x12, 0x34, 0x56]).fold(),
            0x1234 + 0x5600
        );
        assert_eq!(Sum::new().bytes(&[0xAB]).fold(), 0xAB00);
    }

    #[test]
    fn header_is_good_when_it_is_the_published_ipv4_example() {
        // The worked example of the IPv4 header checksum that textbooks share: checksum field b861.
        let header = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8,
            0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
        ];
        assert!(Sum::new().bytes(&header).is_good());
        let mut zeroed = header;
        zeroed[10..12].fill(0);
        assert_eq!(Sum::new().bytes(&zeroed).checksum(), 0xb861);
        for bit in 0..header.len() * 8 {
            let mut flipped = header;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!Sum::new().bytes(&flipped).is_good(), "bit {bit}");
        }
    }

    #[test]
    fn sum_is_bad_when_it_is_zero() {
        // 0000 and ffff are both zero in ones' complement; intact data gives ffff, never 0000.
        assert!(!Sum::new().is_good());
        assert!(!Sum::new().bytes(&[0; 20]).is_good());
        assert!(Sum::new().bytes(&[0xFF, 0xFF]).is_good());
    }

    #[test]
    fn fold_agrees_with_a_plain_loop_when_carries_are_many() {
        let bytes: Vec<u8> = (0..65535u32).map(|i| 255 - (i % 3) as u8).collect();
        let mut plain = 0u32;
        for pair in bytes.chunks(2) {
            plain += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
            plain = (plain & 0xFFFF) + (plain >> 16);
        }
        assert_eq!(u32::from(Sum::new().bytes(&bytes).fold()), plain);
    }

    #[test]
    fn pseudo_header_is_the_ipv4_one_when_the_upper_bits_are_zero() {
        // 192.0.2.1 to 198.51.100.7, TCP, 20 bytes: c000 + 0201 + c633 + 6407 + 0006 + 0014, carries folded.
        let sum = pseudo_header(0xc000_0201, 0xc633_6407, 6, 20).fold();
        assert_eq!(
            u32::from(sum),
            (0xc000 + 0x0201 + 0xc633 + 0x6407 + 0x0006 + 0x0014) - 0xFFFF
        );
    }
}
