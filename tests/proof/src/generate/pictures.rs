//! Pictures of numbers, whole numbers and times, and what they are shown with.

use super::{Generator, Tree, quoted};

impl Generator<'_> {
    /// A call with a picture, or there and back again.
    pub(super) fn picture(&mut self) -> Tree {
        let text = match self.random.below(10) {
            0..=2 => {
                let (value, picture) = (self.value(), self.of_number());
                let options = if self.random.percent(20) { format!(", {}", self.options()) } else { String::new() };
                format!("$formatNumber({value}, {picture}{options})")
            }
            3..=4 => format!("$formatInteger({}, {})", self.value(), self.of_integer()),
            5 => {
                // A thousand trillions are not read back by the reference.
                let (value, picture) = (self.value_below(15), self.of_integer());
                format!("$parseInteger($formatInteger({value}, {picture}), {picture})")
            }
            6..=7 => {
                let zone = if self.random.percent(40) { format!(", {}", self.zone()) } else { String::new() };
                format!("$fromMillis({}, {}{zone})", self.moment(), self.of_time())
            }
            8 => {
                let (moment, picture) = (self.moment(), self.of_time());
                let zone = if self.random.percent(30) { format!(", {}", self.zone()) } else { String::new() };
                format!("$toMillis($fromMillis({moment}, {picture}{zone}), {picture})")
            }
            _ => format!("$formatBase({}, {})", self.value(), 2 + self.random.below(35)),
        };
        Tree::atom(text)
    }

    fn digits(&mut self, most: usize) -> String {
        let digits: String =
            (0..1 + self.random.below(most)).map(|_| char::from(b'0' + self.random.below(10) as u8)).collect();
        digits.trim_start_matches('0').to_owned()
    }

    fn value(&mut self) -> String {
        self.value_below(17)
    }

    fn value_below(&mut self, digits: usize) -> String {
        let mut out = String::from(if self.random.percent(20) { "-" } else { "" });
        let whole = self.digits(digits);
        out.push_str(if whole.is_empty() { "0" } else { &whole });
        if self.random.percent(30) {
            out.push_str(&format!(".{}", self.digits(6) + "5"));
        }
        if digits > 15 && self.random.percent(5) {
            out.push_str(self.random.pick(&["e-9", "e-3", "e4"]));
        }
        out
    }

    fn moment(&mut self) -> String {
        match self.random.below(10) {
            0 => self.random.pick(&["0", "-1", "1509380732935", "253402300799999", "-30610224000000"]).to_owned(),
            // A day of the years 1583 to 2500, often at an edge of one.
            1..=6 => {
                let day = self.random.below(335_000) as i64 - 141_000;
                let of_day = [0, 1, 43_200_000, 86_399_999, self.random.below(86_400_000) as i64][self.random.below(5)];
                (day * 86_400_000 + of_day).to_string()
            }
            _ => self.random.below(2_000_000_000_000).to_string(),
        }
    }

    /// A picture of `$formatNumber`: mostly well formed.
    fn of_number(&mut self) -> String {
        if self.random.percent(25) {
            let signs = ["0", "#", ",", ".", "%", "\u{2030}", "e", ";", "x", "-", "1", " "];
            let picture: String = (0..1 + self.random.below(8)).map(|_| self.random.pick(&signs)).collect();
            return quoted(&picture);
        }
        let mut out = String::new();
        for at in 0..1 + usize::from(self.random.percent(15)) {
            if at > 0 {
                out.push(';');
            }
            out.push_str(self.random.pick(&["", "", "", "$", "(", "x ", "-"]));
            out.push_str(
                self.random.pick(&["0", "#0", "00", "#,##0", "#,##,##0", "##0,0", "#", "###", "000", "#,#,#0"]),
            );
            if self.random.percent(60) {
                out.push_str(self.random.pick(&[".0", ".00", ".#", ".0#", ".00#", ".###", ".000,0", ".", ".0,0#"]));
            }
            if self.random.percent(20) {
                out.push_str(self.random.pick(&["e0", "e00", "e000"]));
            }
            out.push_str(self.random.pick(&["", "", "", "%", "\u{2030}", ")", " y"]));
        }
        quoted(&out)
    }

    fn options(&mut self) -> String {
        let mut options = Vec::new();
        for (name, value) in [
            ("decimal-separator", "!"),
            ("grouping-separator", "'"),
            ("exponent-separator", "E"),
            ("minus-sign", "~"),
            ("percent", "pc"),
            ("per-mille", "pm"),
            ("zero-digit", "\u{660}"),
            ("digit", "@"),
            ("pattern-separator", "|"),
        ] {
            if self.random.percent(20) {
                options.push(format!("\"{name}\": \"{value}\""));
            }
        }
        format!("{{{}}}", options.join(", "))
    }

    /// A picture of `$formatInteger`.
    fn of_integer(&mut self) -> String {
        let mut picture = match self.random.below(10) {
            0..=4 => self.random.pick(&["w", "W", "Ww", "I", "i", "A", "a", "N", "wW"]).to_owned(),
            5..=7 => {
                let whole = [
                    "0",
                    "00",
                    "0000",
                    "#0",
                    "#,##0",
                    "#:##:#0",
                    "##,##,##0",
                    "#'##0",
                    "0,0",
                    "#,##0.00",
                    "\u{660}",
                    "1",
                    "9",
                ];
                self.random.pick(&whole).to_owned()
            }
            _ => {
                let signs = ["0", "0", "#", ",", ".", "'", " ", "\u{661}"];
                (0..1 + self.random.below(7)).map(|_| self.random.pick(&signs)).collect()
            }
        };
        picture.push_str(self.random.pick(&["", "", "", ";o", ";c", ";o(-en)", ";"]));
        quoted(&picture)
    }

    fn zone(&mut self) -> String {
        quoted(self.random.pick(&["+0000", "-0500", "+0530", "+0100", "+1400", "-1200", "0000", "+0945"]))
    }

    /// A picture of a time.
    fn of_time(&mut self) -> String {
        let mut out = String::new();
        if self.random.percent(50) {
            // Nearly whole dates and times, so that they can be read back.
            let dates = [
                "[Y]-[M]-[D]",
                "[Y0001]-[M01]-[D01]",
                "[D1o] [MNn] [Y]",
                "[Y]-[d]",
                "[D] [MN,3-3] [Y0001]",
                "[MNn]/[D01]/[Y0001]",
                "[X]-W[W]-[F1]",
                "[Yw] [Dwo]",
                "[YI].[Mi].[Da]",
                "[Y,4-4][M,2-2][D,2-2]",
            ];
            let times =
                ["", "", "T[H01]:[m01]", " [H]:[m]:[s].[f001]", " [h]:[m][P]", " [h#1]:[m01] [PN]", "T[H01][m01][s01]"];
            let zones = ["", "", "[Z]", " [z]", "[Z0101]", "[Z01:01t]", "[Z0]", "[Z00:00]", "[Z9999]"];
            out.push_str(self.random.pick(&dates));
            out.push_str(self.random.pick(&times));
            out.push_str(self.random.pick(&zones));
            return quoted(&out);
        }
        for _ in 0..1 + self.random.below(4) {
            out.push('[');
            let letters =
                ["Y", "M", "D", "d", "F", "W", "w", "X", "x", "H", "h", "P", "m", "s", "f", "Z", "z", "C", "E"];
            out.push_str(self.random.pick(&letters));
            let forms = [
                "", "", "", "1", "01", "001", "0001", "N", "n", "Nn", "I", "i", "w", "W", "Ww", "A", "a", "1o", "wo",
                "#1", "0", "9", "01:01", "0101", "01:01t", "#,##0", "1t", "1c",
            ];
            out.push_str(self.random.pick(&forms));
            if self.random.percent(25) {
                out.push_str(self.random.pick(&[",2", ",2-2", ",*-3", ",3-3", ",1-*", ",4", ",*-2", ",*"]));
            }
            out.push(']');
            out.push_str(self.random.pick(&["", "-", "/", " ", ":", "T", "[[", "]]", " of "]));
        }
        quoted(&out)
    }
}
