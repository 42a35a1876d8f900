//! What stands in a packet: numbers with the lowest byte first, texts with their length before them
//! or a zero byte behind them (MySQL source documentation, "Protocol basics").

use lockgate_connector_api::Error;

use crate::failure;

/// The rest of a packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// So many bytes.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (bytes, rest) =
            self.0.split_at_checked(length).ok_or_else(|| failure::protocol("a packet is too short"))?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.bytes(N)?.try_into().map_err(|_| failure::protocol("a packet is too short"))
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, Error> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    /// A number of two bytes.
    pub fn short(&mut self) -> Result<u16, Error> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// A number of four bytes.
    pub fn long(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A number of eight bytes.
    pub fn wide(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A number as long as its first byte says.
    pub fn number(&mut self) -> Result<u64, Error> {
        Ok(match self.byte()? {
            small @ 0..=0xfa => u64::from(small),
            0xfc => u64::from(self.short()?),
            0xfd => {
                let [a, b, c] = self.array()?;
                u64::from(u32::from_le_bytes([a, b, c, 0]))
            }
            0xfe => self.wide()?,
            _ => return Err(failure::protocol("a length is none")),
        })
    }

    /// Bytes with their length before them.
    pub fn counted(&mut self) -> Result<&'a [u8], Error> {
        let length = self.number()?;
        self.bytes(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// A text with its length before it.
    pub fn text(&mut self) -> Result<&'a str, Error> {
        str::from_utf8(self.counted()?).map_err(|_| failure::protocol("a name is no UTF-8"))
    }

    /// Bytes up to a zero byte, or up to the end.
    pub fn ended(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let (bytes, rest) = self.0.split_at_checked(end).unwrap_or((self.0, &[]));
        self.0 = rest.get(1..).unwrap_or_default();
        bytes
    }
}

/// Writes bytes with their length before them.
pub(crate) fn put_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = bytes.len() as u64;
    let [a, b, c, ..] = length.to_le_bytes();
    match length {
        0..=0xfa => out.push(a),
        0xfb..=0xffff => out.extend([0xfc, a, b]),
        0x1_0000..=0xff_ffff => out.extend([0xfd, a, b, c]),
        _ => {
            out.push(0xfe);
            out.extend(length.to_le_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_refused() {
        for bytes in [&[][..], &[0xfb], &[0xff], &[0xfc, 1], &[0xfd, 1, 2], &[0xfe, 0, 0, 0], &[3, 1, 2], &[0xfe; 9]] {
            assert!(Fields(bytes).counted().is_err(), "{bytes:?}");
        }
        assert!(Fields(&[1, 0xff]).text().is_err());
    }

    #[test]
    fn lengths_come_back() {
        for length in [0, 1, 250, 251, 65_535, 65_536, 70_000, 1 << 24] {
            let mut out = Vec::new();
            put_counted(&mut out, &vec![7; length]);
            assert_eq!(Fields(&out).counted().unwrap().len(), length);
        }
        let mut fields = Fields(b"ab\0c");
        assert_eq!((fields.ended(), fields.ended(), fields.ended()), (&b"ab"[..], &b"c"[..], &b""[..]));
    }
}
