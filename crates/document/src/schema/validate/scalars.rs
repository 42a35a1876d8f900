//! Numbers and texts: bounds by digits, lengths in characters, patterns in linear time.

use super::{
    super::{
        decimal,
        rule::{Count, DecimalForm, DecimalRule, NumberRule, TextRule},
    },
    Stop, Validator,
};
use crate::{node::Node, number::Number};

impl<'s, 'v> Validator<'s, 'v> {
    pub(super) fn number(&mut self, rule: &'s NumberRule, value: Node<'v>) -> Result<bool, Stop> {
        let Some(number) = value.as_number() else { return Ok(true) };
        let mut holds = self.bounds(rule, number)?;
        if let Some(multiple) = &rule.multiple {
            let lexeme = value.lexeme().unwrap_or_default();
            self.meter.charge_bytes(lexeme.len())?;
            if !decimal::is_multiple(&lexeme, multiple) {
                holds &= self.wrong("LG-VALUE-RANGE", || format!("the type says a multiple of {multiple}"))?;
            }
        }
        Ok(holds)
    }

    fn bounds(&mut self, rule: &'s NumberRule, number: Number<'_>) -> Result<bool, Stop> {
        let order = |bound: &Option<String>| bound.as_ref().map(|bound| number.order(Number::Lexeme(bound)));
        let mut holds = true;
        let bounds = [
            (&rule.minimum, "at least", order(&rule.minimum).is_none_or(|order| order.is_ge())),
            (&rule.maximum, "at most", order(&rule.maximum).is_none_or(|order| order.is_le())),
            (&rule.above, "more than", order(&rule.above).is_none_or(|order| order.is_gt())),
            (&rule.below, "less than", order(&rule.below).is_none_or(|order| order.is_lt())),
        ];
        for (bound, words, kept) in bounds {
            if !kept {
                let bound = bound.as_deref().unwrap_or_default();
                holds &= self.wrong("LG-VALUE-RANGE", || format!("the type says {words} {bound}"))?;
            }
        }
        Ok(holds)
    }

    pub(super) fn count(&mut self, rule: &Count, count: u64, of: &str) -> Result<bool, Stop> {
        if count < rule.min {
            return self.wrong("LG-VALUE-LENGTH", || format!("the type says at least {} {of}", rule.min));
        }
        if let Some(max) = rule.max.filter(|max| count > *max) {
            return self.wrong("LG-VALUE-LENGTH", || format!("the type says at most {max} {of}"));
        }
        Ok(true)
    }

    pub(super) fn text(&mut self, rule: &'s TextRule, value: Node<'v>) -> Result<bool, Stop> {
        let text = value.as_str().unwrap_or_default();
        let mut holds = true;
        if rule.length.min > 0 || rule.length.max.is_some() {
            self.meter.charge_bytes(text.len())?;
            holds &= self.count(&rule.length, text.chars().count() as u64, "characters")?;
        }
        if let Some(decimal) = &rule.decimal {
            holds &= self.text_of_number(decimal, text)?;
        }
        if let Some(pattern) = &rule.pattern {
            self.meter.charge(text.len() as u64)?;
            if !pattern.contains(text) {
                holds &= self.wrong("LG-VALUE-PATTERN", || "it does not match the type's pattern".to_owned())?;
            }
        }
        Ok(holds)
    }

    fn text_of_number(&mut self, rule: &'s DecimalRule, text: &str) -> Result<bool, Stop> {
        self.meter.charge_bytes(text.len())?;
        if !decimal::is_text_of_number(text, rule.form != DecimalForm::Plain) {
            if rule.form == DecimalForm::Told {
                return Ok(true);
            }
            return self.wrong("LG-VALUE-PATTERN", || "the type says the text of a number".to_owned());
        }
        // Of what is no number nothing more is asked.
        let Some(lexeme) = Some(text.trim_start_matches('+')).filter(|text| !text.ends_with(['F', 'N'])) else {
            return Ok(true);
        };
        let mut holds = self.bounds(&rule.bounds, Number::Lexeme(lexeme))?;
        let (total, fraction) = decimal::digits(lexeme);
        for (digits, max, what) in
            [(total, rule.total_digits, "digits"), (fraction, rule.fraction_digits, "digits of a fraction")]
        {
            if let Some(max) = max.filter(|max| digits > *max) {
                holds &= self.wrong("LG-VALUE-RANGE", || format!("the type says at most {max} {what}"))?;
            }
        }
        Ok(holds)
    }
}
