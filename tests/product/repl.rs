//! The prompt for expressions: from a pipe, and on a real terminal as somebody types on it.

use std::{
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use lockgate_testkit::{
    TempDir,
    process::{Running, program},
    temp_dir, wait_until,
};

use crate::house::with_input;

const ORDER: &str = r#"{"id":"A-17","customer":{"name":"Ada","first name":"A"},"total":1.50,"lines":[{"sku":"pen","qty":10},{"sku":"ink","qty":3}]}"#;

/// Answers of a prompt that is no terminal.
fn piped(arguments: &[&str], input: &str) -> (String, String, Option<i32>) {
    let output = with_input(Command::new(program()).arg("repl").args(arguments), input);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

#[test]
fn what_fails_from_a_pipe_is_told_with_its_place_and_the_rest_is_answered() {
    let lines = "1 +\n:nope\n\"a\" + 1\n$eval(\"1\")\n2\n(3";
    let (out, err, code) = piped(&["--no-history"], lines);
    assert_eq!((out.as_str(), code), ("2\n", Some(1)), "{err}");
    for part in ["error[S0207]", "there is no `:nope`", "error[T2001]", "error[LG-EXPR-EVAL]", "error[S0203]", "^"] {
        assert!(err.contains(part), "`{part}` is not in:\n{err}");
    }
    let (_, err, _) = piped(&[], "$error(\"gone\\u001b[2J\\u202e\")\n");
    assert!(err.contains("gone") && !err.contains(['\u{1b}', '\u{202e}']), "data does not steer the terminal: {err:?}");
    let (out, err, code) = piped(&["no-such-file.json"], "1\n");
    assert_eq!((out.as_str(), code), ("", Some(2)), "{err}");
    let (out, err, code) = piped(&[], "($f := function($n) { 1 + $f($n) }; $f(1))\n1\n");
    assert!(err.contains("error[U1001]") && out == "1\n" && code == Some(1), "{out}{err}");
}

#[test]
fn bindings_stay_for_the_lines_behind_them() {
    let folder = temp_dir();
    let file = folder.path().join("order.json");
    std::fs::write(&file, ORDER).unwrap();
    for (lines, answers) in [
        ("$rate := 2\n$rate * 3\n$rate := 5\n$rate\n", "2\n6\n5\n5\n"),
        // A function is kept as its text and sees what its names mean by then.
        ("$r := 2\n$f := function($n) {\n  $n * $r\n}\n$f(10)\n$r := 3\n$f(10)\n", "2\nfunction\n20\n3\n30\n"),
        ("$f := function($n) { $n + 1 }\n$g := $f(?)\n$f := 7\n$g(1) & $f\n", "function\nfunction\n7\n\"27\"\n"),
        // A value is not computed again, and what is undefined hides what was there.
        ("$r := $random()\n$r = $r\n", "true\n"),
        ("$x := 1\n$x := missing\n$exists($x)\n", "1\nundefined\nfalse\n"),
        // A built-in may be hidden, as in a block.
        ("$sum := 3\n$sum + 1\n:clear\n$sum([1, 2])\n", "3\n4\n3\n"),
        ("lines.sku\n$n := $count(lines)\n$n\n$$.id\n", "[\"pen\",\"ink\"]\n2\n2\n\"A-17\"\n"),
        ("[9007199254740993, total]\n$x := total\n$x\n", "[9007199254740993,1.50]\n1.50\n1.50\n"),
    ] {
        let (out, err, code) = piped(&[file.to_str().unwrap()], lines);
        assert_eq!((err.as_str(), code), ("", Some(0)), "{lines}");
        let out = if lines.contains("$random") { out.lines().nth(1).unwrap().to_owned() + "\n" } else { out };
        assert_eq!(out, answers, "{lines}");
    }
}

#[test]
fn there_is_room_for_so_many_bindings_and_a_problem_in_a_kept_function_is_shown_there() {
    let lines: String = (0..201).map(|i| format!("$v{i} := {i}\n")).collect();
    let (out, err, code) = piped(&[], &(lines + "$v200\n$v199\n"));
    assert_eq!((out.lines().last(), code), (Some("199"), Some(1)));
    assert!(err.contains("error[LG-REPL-FULL]") && err.contains(":clear"), "{err}");
    // What is kept must fit into a run beside the input; what does not fit is not kept, and the rest goes on.
    let text = |name: char| format!("${name} := $pad(\"\", 12000000)\n");
    let lines: String = ('a'..='h').map(text).collect();
    let (out, err, code) = piped(&[], &(lines + "$length($a)\n$exists($h)\n"));
    assert!(err.contains("error[LG-LIMIT-ARENA]") && code == Some(1), "{err}");
    assert!(out.ends_with("\n12000000\nfalse\n"), "{}", out.len());
    let (_, err, _) = piped(&[], "$f := function($n) { $n * 2 }\n$f(\"x\")\n");
    assert!(err.contains("--> $f:1:22") && err.contains("1 | $f := function($n) { $n * 2 }"), "{err}");
}

#[test]
fn commands_tell_of_the_input_and_of_functions() {
    let folder = temp_dir();
    let file = folder.path().join("order.json");
    std::fs::write(&file, ORDER).unwrap();
    let commands = format!(":type\n:input {}\n:type\n:type lines\n:help $pad\n:help\n:quit\n1\n", file.display());
    let (out, err, code) = piped(&[], &commands);
    assert_eq!((err.as_str(), code), ("", Some(0)));
    for part in ["there is no input", "lines: array (2) of object", "  qty: number", "$pad <s-ns?:s>", ":clear"] {
        assert!(out.contains(part), "`{part}` is not in:\n{out}");
    }
    assert!(!out.ends_with("\n1\n"), "`:quit` ends:\n{out}");
    // For programs: null for undefined, errors as JSON.
    let output = with_input(Command::new(program()).args(["--json", "repl"]), "missing\n1 +\n");
    assert_eq!(output.stdout, b"null\n");
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["problems"][0]["code"], "S0207");
}

/// A prompt on a terminal of its own (util-linux `script`), and what the terminal shows.
struct Terminal {
    keys: ChildStdin,
    shown: Arc<Mutex<String>>,
    process: Running,
    folder: TempDir,
}

impl Terminal {
    fn open(folder: TempDir, arguments: &str, colours: bool) -> Self {
        let order = folder.path().join("order.json");
        std::fs::write(&order, ORDER).unwrap();
        let line =
            format!("stty cols 80 rows 24; exec '{}' repl '{}' {arguments}", program().display(), order.display());
        let mut command = Command::new("script");
        command
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", "xterm")
            .env("XDG_STATE_HOME", folder.path().join("state"));
        command.env_remove("NO_COLOR");
        if !colours {
            command.env("NO_COLOR", "1");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Running::start(&mut command);
        let (keys, mut screen) = (process.0.stdin.take().unwrap(), process.0.stdout.take().unwrap());
        let shown = Arc::new(Mutex::new(String::new()));
        let into = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = screen.read(&mut bytes) {
                into.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
            }
        });
        let terminal = Self { keys, shown, process, folder };
        terminal.shows("\u{1b}[?2004h");
        terminal
    }

    /// Waits until the terminal has shown a text since the last keys.
    fn shows(&self, text: &str) {
        let what = || self.shown.lock().unwrap().clone();
        wait_until(&format!("`{text}` on the terminal"), Duration::from_secs(60), || what().contains(text));
    }

    fn has(&self, text: &str) -> bool {
        self.shown.lock().unwrap().contains(text)
    }

    fn types(&mut self, keys: &str) {
        self.shown.lock().unwrap().clear();
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Types keys until the terminal shows a text. What is drawn while one types is drawn at a key or not at
    /// all, and on a busy machine it comes too late for the first one: then `again` is typed.
    fn live(&mut self, keys: &str, text: &str, again: &str) {
        self.types(keys);
        let begun = Instant::now();
        let mut next = Duration::from_secs(2);
        wait_until(&format!("`{text}` on the terminal"), Duration::from_secs(60), || {
            if self.shown.lock().unwrap().contains(text) {
                return true;
            }
            if begun.elapsed() > next {
                next += Duration::from_secs(2);
                self.keys.write_all(again.as_bytes()).unwrap();
            }
            false
        });
    }

    /// Types something of which a text is drawn below the line.
    fn hints(&mut self, keys: &str, text: &str) {
        self.live(keys, text, " \u{7f}");
    }

    /// Completes what is typed.
    fn completes(&mut self, keys: &str, text: &str) {
        self.types(keys);
        self.live("\t", text, "\t");
    }

    /// A line and what it gives.
    fn answers(&mut self, line: &str, gives: &str) {
        self.types(line);
        self.types("\r");
        self.shows(&format!("\r\n{gives}\r\n"));
        self.shows("\u{1b}[?2004h");
    }

    /// Ctrl-C on a line; the prompt comes back.
    fn gives_up(&mut self) {
        self.types("\u{3}");
        self.shows("\u{1b}[?2004h");
    }

    /// Ctrl-D; the folder is handed back.
    fn end(mut self) -> TempDir {
        self.types("\u{4}");
        let mut ended = None;
        wait_until("the end of the prompt", Duration::from_secs(60), || {
            ended = self.process.0.try_wait().unwrap();
            ended.is_some()
        });
        assert!(ended.is_some_and(|status| status.success()));
        self.folder
    }
}

fn history(folder: &Path) -> std::path::PathBuf {
    folder.join("state/lockgate/history")
}

#[test]
fn the_value_stands_below_the_line_while_it_is_typed_and_errors_at_their_place() {
    let mut terminal = Terminal::open(temp_dir(), "", true);
    terminal.hints("$sum(lines.qty)", "= 13");
    // The caret stands where the operation begins, behind the prompt.
    terminal.hints(" + 'x'", "\r\n  ^\r\nT2002: the right side of the operator must be a number");
    assert!(terminal.has("\u{1b}[2m"), "what is not typed is dimmed");
    terminal.gives_up();
    terminal.hints("$pad(id, ", "$pad <s-ns?:s>");
    terminal.gives_up();
    terminal.answers("id", "\"A-17\"");
    terminal.end();
}

#[test]
fn an_endless_recursion_and_a_huge_value_come_back() {
    let mut terminal = Terminal::open(temp_dir(), "", true);
    // It ends by itself while it is typed, and by Ctrl-C when it was asked for.
    terminal.types("($f := function($x) { $f($x) }; $f(1))");
    terminal.types("\r");
    terminal.shows("\u{1b}[?2004l");
    terminal.live("\u{3}", "stopped by Ctrl-C", "\u{3}");
    terminal.shows("\u{1b}[?2004h");
    terminal.answers("1 + 1", "2");
    terminal.hints("[1..10000000]", "= [1, 2, 3");
    terminal.types("\r");
    terminal.shows("bytes in all");
    terminal.shows("\u{1b}[?2004h");
    assert!(terminal.shown.lock().unwrap().len() < 20_000);
    terminal.answers("$f := function($n) { 1 + $f($n) }", "function");
    terminal.types("$f(1)\r");
    terminal.shows("error[U1001]");
    terminal.shows("\u{1b}[?2004h");
    terminal.answers("$count([1..3])", "3");
    terminal.end();
}

#[test]
fn bytes_that_are_no_text_end_a_line_and_nothing_else() {
    let mut terminal = Terminal::open(temp_dir(), "", false);
    terminal.answers("$x := 41", "41");
    terminal.types("1 + ");
    terminal.keys.write_all(b"\xff").unwrap();
    terminal.keys.flush().unwrap();
    terminal.shows("\u{1b}[?2004h");
    terminal.answers("$x + 1", "42");
    terminal.end();
}

#[test]
fn tab_completes_functions_variables_and_fields() {
    let mut terminal = Terminal::open(temp_dir(), "", true);
    terminal.answers("$lineCount := 2", "2");
    terminal.completes("$li", "$lineCount");
    terminal.gives_up();
    terminal.completes("$substring", "$substringBefore <s-s:s>");
    terminal.gives_up();
    // Fields of what the path gives, also inside of brackets, in backticks where they must be.
    terminal.completes("lines[q", "lines[qty");
    terminal.completes(" > 5].s", "5].sku");
    terminal.answers("", "\"pen\"");
    terminal.completes("customer.f", "`first name`");
    terminal.answers("", "\"A\"");
    terminal.types(":he\t");
    terminal.types("\r");
    terminal.shows(":quit");
    terminal.shows("\u{1b}[?2004h");
    terminal.end();
}

#[test]
fn a_bracket_that_is_open_goes_on_in_the_next_line() {
    let mut terminal = Terminal::open(temp_dir(), "", true);
    terminal.types("{");
    terminal.types("\r");
    terminal.types("\"a\": 1");
    terminal.types("\r");
    terminal.answers("}", "{\"a\": 1}");
    let folder = terminal.end();
    // One entry of the history, however many lines it has.
    assert_eq!(std::fs::read_to_string(history(folder.path())).unwrap().lines().count(), 2);
}

#[test]
fn the_history_holds_what_was_typed_for_its_owner_alone_and_no_value() {
    let mut terminal = Terminal::open(temp_dir(), "", true);
    terminal.answers("customer.name", "\"Ada\"");
    terminal.answers(" 1 + 41", "42");
    let folder = terminal.end();
    let file = history(folder.path());
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("customer.name"), "{kept}");
    assert!(!kept.contains("Ada") && !kept.contains("41"), "no value, and no line behind a blank: {kept}");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    // The next session has it under the arrow.
    let mut terminal = Terminal::open(folder, "", true);
    terminal.types("\u{1b}[A");
    terminal.shows("customer.name");
    terminal.answers("", "\"Ada\"");
    let folder = terminal.end();
    std::fs::remove_dir_all(folder.path().join("state")).unwrap();
    let mut terminal = Terminal::open(folder, "--no-history", true);
    terminal.answers("1", "1");
    let folder = terminal.end();
    assert!(!folder.path().join("state").exists(), "nothing is kept");
}

#[test]
fn without_colours_nothing_is_coloured() {
    let mut terminal = Terminal::open(temp_dir(), "--no-history", false);
    terminal.hints("1 + 1", "= 2");
    assert!(!terminal.has("\u{1b}[2m") && !terminal.has("\u{1b}[1;36m"));
    terminal.gives_up();
    terminal.end();
}
