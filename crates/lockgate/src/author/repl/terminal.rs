//! The prompt on a terminal: editing, history, completion, and the value while one types.

use std::{
    borrow::Cow,
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use lockgate_document::{Kind, Node};
use lockgate_mapping::expression::{builtins, signature_of};
use rustyline::{
    ColorMode, Config, Context, Editor, GraphemeClusterMode, Helper,
    completion::{Completer, FilenameCompleter, Pair},
    error::ReadlineError,
    highlight::Highlighter,
    hint::{Hint, Hinter},
    history::DefaultHistory,
    validate::{ValidationContext, ValidationResult, Validator},
};

use super::{
    COMMANDS, is_command, is_open,
    live::{KEY_WAIT, Live, TAB_WAIT},
    place::{Place, open_call, place, quoted},
    session::{Failed, Given, Session},
    shown,
};
use crate::exit::Exit;

const PROMPT: &str = "> ";
/// Columns where the terminal does not tell.
const COLUMNS: usize = 80;
/// Lines that the history keeps.
const HISTORY_MAX: usize = 1_000;
/// Names that a completion shows.
const NAMES_MAX: usize = 500;

/// What was typed.
pub enum Typed {
    /// A whole expression or command.
    Line(String),
    /// Ctrl-C: the line is given up.
    Nothing,
    /// Ctrl-D.
    End,
}

/// A terminal with a line editor.
pub struct Terminal {
    editor: Editor<Aid, DefaultHistory>,
    history: Option<PathBuf>,
}

impl Terminal {
    /// Takes the terminal; `history` is the file that lines are kept in.
    pub fn open(session: Arc<Mutex<Session>>, history: Option<PathBuf>, colours: bool) -> Result<Self, Exit> {
        let config = Config::builder()
            .max_history_size(HISTORY_MAX)
            .and_then(|config| config.history_ignore_dups(true))
            .map_err(|e| failed(&e))?
            .history_ignore_space(true)
            .completion_type(rustyline::CompletionType::List)
            .color_mode(if colours { ColorMode::Enabled } else { ColorMode::Disabled })
            .build();
        let mut editor = Editor::with_config(config).map_err(|e| failed(&e))?;
        editor.set_helper(Some(Aid {
            live: Live::start(Arc::clone(&session)),
            session,
            files: FilenameCompleter::new(),
            columns: COLUMNS,
        }));
        if let Some(path) = &history {
            if let Some(folder) = path.parent() {
                let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
                made.map_err(|e| unkept(path, &e.into()))?;
            }
            match editor.load_history(path) {
                Err(ReadlineError::Io(e)) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(unkept(path, &e)),
                Ok(()) => {}
            }
        }
        Ok(Self { editor, history })
    }

    /// The next line, which may be several of the screen's.
    pub fn line(&mut self) -> Result<Typed, Exit> {
        let columns = self.editor.dimensions().map_or(COLUMNS, |(columns, _)| usize::from(columns));
        if let Some(aid) = self.editor.helper_mut() {
            aid.columns = columns;
        }
        let line = match self.editor.readline(PROMPT) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => return Ok(Typed::Nothing),
            Err(ReadlineError::Eof) => return Ok(Typed::End),
            // Bytes that are no text end the line, and nothing else.
            Err(ReadlineError::Io(e)) if e.kind() == std::io::ErrorKind::InvalidData => return Ok(Typed::Nothing),
            Err(e) => return Err(failed(&e)),
        };
        Ok(Typed::Line(line))
    }

    /// Keeps a line in the history, at once: two prompts share what they know, and one that is killed loses
    /// nothing.
    ///
    /// # Errors
    /// The file cannot be written; later lines are not tried.
    pub fn keep(&mut self, line: &str) -> Result<(), Exit> {
        let new = self.editor.add_history_entry(line).map_err(|e| failed(&e))?;
        let Some(path) = self.history.take_if(|_| new) else { return Ok(()) };
        self.editor.append_history(&path).map_err(|e| unkept(&path, &e))?;
        self.history = Some(path);
        Ok(())
    }
}

fn failed(error: &ReadlineError) -> Exit {
    Exit::failed("LG-IO", format!("the terminal cannot be used: {error}"))
}

fn unkept(path: &Path, error: &ReadlineError) -> Exit {
    let path = path.display();
    Exit::failed("LG-IO", format!("the history `{path}` cannot be kept: {error} (`--no-history` goes without)"))
}

/// Where the history lies: in the user's state folder. It holds what was typed, not what came out.
pub fn history_file() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the program is where the environment is read")]
    let var = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = var("XDG_STATE_HOME").or_else(|| var("HOME").map(|home| home.join(".local/state")))?;
    Some(base.join("lockgate/history"))
}

/// What helps while one types.
struct Aid {
    session: Arc<Mutex<Session>>,
    live: Live,
    files: FilenameCompleter,
    /// Columns of the terminal when the line was begun.
    columns: usize,
}

impl Helper for Aid {}

/// What stands below the line; it is never taken into it.
struct Below(String);

impl Hint for Below {
    fn display(&self) -> &str {
        &self.0
    }
    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Aid {
    type Hint = Below;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<Below> {
        if line.trim().is_empty() || is_command(line) {
            return None;
        }
        // The last column stays free: a terminal wraps there.
        let room = self.columns.saturating_sub(4);
        let below = match self.live.value(line, KEY_WAIT)? {
            Ok(Given::Value(value)) => format!("= {}", shown::short(value.root(), room)),
            Ok(Given::Function) => "= a function".to_owned(),
            Err(Failed::Stopped) => return None,
            // It takes longer than typing should wait; Enter waits.
            Err(Failed::Exit(Exit::Failed { code, .. })) if is_slow(&code) => "= …".to_owned(),
            Err(Failed::Problem(problem, _)) if is_slow(&problem.code) => "= …".to_owned(),
            Err(Failed::Exit(exit)) => cut(exit.text().trim(), room),
            // While it is typed, a line that is not whole is no error.
            Err(Failed::Problem(problem, _)) if is_unfinished(&problem.code) => signed(&open_call(line.get(..pos)?)?)?,
            Err(Failed::Problem(problem, elsewhere)) => {
                let message = format!("{}: {}", problem.code, problem.message);
                let last = line.rfind('\n').map_or(0, |at| at + 1);
                let before = line.get(last..problem.span.start as usize).filter(|_| elsewhere.is_none());
                let indent = if last == 0 { PROMPT.len() } else { 0 };
                let column = before.map(|text| indent + usize::from(GraphemeClusterMode::from_env().width(text)));
                match column.filter(|column| *column < room) {
                    Some(column) => format!("{}^\n{}", " ".repeat(column), cut(&message, room)),
                    None => cut(&message, room),
                }
            }
        };
        Some(Below(format!("\n{below}")))
    }
}

fn is_slow(code: &str) -> bool {
    matches!(code, "LG-LIMIT-WALL" | "LG-LIMIT-COST")
}

fn is_unfinished(code: &str) -> bool {
    matches!(code, "S0101" | "S0105" | "S0106" | "S0203" | "S0207" | "S0302")
}

/// The first line of a text, as far as there is room.
fn cut(text: &str, room: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut shown: String = shown::plain(line).chars().take(room).collect();
    if line.chars().nth(room).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

/// A built-in with its signature.
pub fn signed(name: &str) -> Option<String> {
    signature_of(name).map(|signature| format!("${name} {signature}"))
}

impl Highlighter for Aid {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
    }
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(format!("\x1b[1;36m{prompt}\x1b[0m"))
    }
}

impl Validator for Aid {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_open(context.input()) { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Completer for Aid {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..pos).unwrap_or_default();
        if before.starts_with(":input ") {
            return self.files.complete_path(line, pos);
        }
        if before.starts_with(':') {
            let commands = COMMANDS.iter().map(|(name, _, _)| *name).filter(|name| name.starts_with(before));
            return Ok((0, commands.map(|name| pair(name, name.to_owned())).collect()));
        }
        Ok(match place(before) {
            Place::Nothing => (pos, Vec::new()),
            Place::Variable(start, begun) => (start, self.variables(begun)),
            Place::Field { start, begun, of } => (start, self.fields(&of, begun.trim_start_matches('`'))),
        })
    }
}

fn pair(display: &str, replacement: String) -> Pair {
    Pair { display: display.to_owned(), replacement }
}

impl Aid {
    /// Variables of the session, then built-ins with their signatures.
    fn variables(&self, begun: &str) -> Vec<Pair> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<Pair> = Vec::new();
        for name in session.names().iter().map(|name| format!("${name}")).filter(|name| name.starts_with(begun)) {
            found.push(pair(&name, name.clone()));
        }
        let mut functions: Vec<&str> = builtins().filter(|name| format!("${name}").starts_with(begun)).collect();
        functions.sort_unstable();
        found.extend(functions.iter().filter_map(|name| Some(pair(&signed(name)?, format!("${name}(")))));
        found
    }

    /// Fields of what `of` gives in the session.
    fn fields(&self, of: &str, begun: &str) -> Vec<Pair> {
        let Some(Ok(Given::Value(names))) = self.live.value(&format!("$keys({of})"), TAB_WAIT) else {
            return Vec::new();
        };
        let name = |node: Node<'_>| {
            let name = node.as_str().filter(|name| name.starts_with(begun))?;
            Some(pair(&shown::escaped(name), quoted(name).filter(|name| !name.contains(char::is_control))?))
        };
        match names.root().kind() {
            Kind::Array => names.root().items().filter_map(name).take(NAMES_MAX).collect(),
            _ => name(names.root()).into_iter().collect(),
        }
    }
}
