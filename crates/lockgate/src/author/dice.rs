//! Documents by chance for tests, and inputs that come in pieces: the same everywhere.

use std::io::Read;

/// Bytes that come so many at a time.
pub struct Pieces<'t>(pub &'t [u8], pub usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(self.0.len()).min(into.len());
        let (now, later) = self.0.split_at(length);
        into[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

/// A small generator: the same numbers everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    pub fn one(&mut self, of: &[&'static str]) -> &'static str {
        of[self.roll(of.len() as u64) as usize]
    }

    pub fn list(&mut self, depth: u32) -> String {
        let items: Vec<String> = (0..[0, 1, 1, 2, 3][self.roll(5) as usize]).map(|_| self.value(depth)).collect();
        format!("[{}]", items.join(","))
    }

    pub fn value(&mut self, depth: u32) -> String {
        match self.roll(if depth == 0 { 4 } else { 10 }) {
            0 => "1".to_owned(),
            1 => "\"5\"".to_owned(),
            2 => "null".to_owned(),
            3 => "{}".to_owned(),
            4..=6 => self.list(depth - 1),
            _ => {
                let mut fields = Vec::new();
                for key in ["x", "y", "a", "b"] {
                    if self.roll(2) == 0 {
                        fields.push(format!("\"{key}\":{}", self.value(depth - 1)));
                    }
                }
                format!("{{{}}}", fields.join(","))
            }
        }
    }

    pub fn document(&mut self) -> String {
        match self.roll(6) {
            0 => self.value(4),
            1 => format!("{{\"a\":{}}}", self.list(3)),
            2 => format!("{{\"y\":2,\"a\":{{\"b\":{}}}}}", self.list(3)),
            // Lists of lists, of which there is often one alone.
            3 => format!("[{{\"a\":[{}]}}]", self.list(2)),
            4 => format!("{{\"a\":[{{\"b\":[{}]}}]}}", self.list(2)),
            _ => format!("{{\"a\":[{{\"b\":{}}},{{\"b\":{}}}]}}", self.list(2), self.value(2)),
        }
    }
}
