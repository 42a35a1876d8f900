//! The two syntaxes and the characters that divide their texts.

/// A family of interchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// ASC X12: X12.5 (envelopes) and X12.6 (segments and elements).
    X12,
    /// UN/EDIFACT: ISO 9735, syntax versions 1 to 4.
    Edifact,
}

impl Syntax {
    /// The name in values: `x12`, `edifact`.
    pub fn name(self) -> &'static str {
        match self {
            Syntax::X12 => "x12",
            Syntax::Edifact => "edifact",
        }
    }
    pub(super) fn named(name: &str) -> Option<Syntax> {
        [Syntax::X12, Syntax::Edifact].into_iter().find(|syntax| syntax.name() == name)
    }
}

/// What divides an interchange. All are ASCII, no letters, digits or blanks, and no two the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delimiters {
    pub element: u8,
    pub component: u8,
    /// None before X12 00402 and before version 4 of ISO 9735.
    pub repetition: Option<u8>,
    pub segment: u8,
    /// EDIFACT alone: the next character is data.
    pub release: Option<u8>,
    /// The mark in numbers.
    pub decimal: u8,
}

impl Delimiters {
    /// What most partners agree on; X12 has no defaults of its own.
    pub const X12: Delimiters = Delimiters {
        element: b'*',
        component: b':',
        repetition: Some(b'^'),
        segment: b'~',
        release: None,
        decimal: b'.',
    };
    /// Without UNA, in version 4. Before it there is no repetition.
    pub const EDIFACT: Delimiters = Delimiters {
        element: b'+',
        component: b':',
        repetition: Some(b'*'),
        segment: b'\'',
        release: Some(b'?'),
        decimal: b'.',
    };
    /// The information separators that level B of ISO 9735:1988 has where UNA is absent.
    pub const LEVEL_B: Delimiters =
        Delimiters { element: 0x1d, component: 0x1f, repetition: None, segment: 0x1c, release: None, decimal: b'.' };

    /// Those that divide, with their names in values.
    pub fn dividing(&self) -> [(&'static str, Option<u8>); 5] {
        [
            ("element", Some(self.element)),
            ("component", Some(self.component)),
            ("repetition", self.repetition),
            ("segment", Some(self.segment)),
            ("release", self.release),
        ]
    }
    /// Would it be read as something else than data?
    pub fn has(&self, byte: u8) -> bool {
        byte == self.element
            || byte == self.component
            || byte == self.segment
            || self.repetition == Some(byte)
            || self.release == Some(byte)
    }
    /// Can the text be divided by them at all?
    pub fn are_sound(&self) -> bool {
        let mut seen = [0; 6];
        let all = self.dividing().into_iter().filter_map(|(_, byte)| byte).chain([self.decimal]);
        for (slot, byte) in seen.iter_mut().zip(all) {
            *slot = byte;
        }
        let used = seen.iter().filter(|byte| **byte != 0);
        let usable = |byte: u8| byte.is_ascii() && byte != b' ' && byte != 0 && !byte.is_ascii_alphanumeric();
        self.dividing().iter().all(|(_, byte)| byte.is_none_or(usable))
            && matches!(self.decimal, b'.' | b',')
            && used.clone().enumerate().all(|(at, byte)| used.clone().skip(at + 1).all(|other| other != byte))
    }
}

/// How an interchange is to be read or written, once its head is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mode {
    pub syntax: Syntax,
    pub delimiters: Delimiters,
    pub characters: super::characters::Repertoire,
    /// Version of ISO 9735, 1 to 4; 0 for X12.
    pub version: u8,
    /// May numbers have a comma or a point alike? In EDIFACT they may where UNA is absent, and in
    /// version 4, which does not read the mark in UNA.
    pub either_mark: bool,
}

impl Mode {
    /// Is this the mark before a number's fraction?
    pub fn is_mark(&self, byte: u8) -> bool {
        byte == self.delimiters.decimal || self.either_mark && matches!(byte, b'.' | b',')
    }
}
