//! Secrets and names on their way in: typed at a terminal, or written to standard input by a program.

use std::io::{IsTerminal, Read, Write};

use crate::exit::Exit;

/// What a person types, or a program writes.
pub struct Typed(Option<std::vec::IntoIter<String>>);

impl Typed {
    /// From standard input, one line each, or asked for at the terminal.
    pub fn new(from_stdin: bool) -> Result<Self, Exit> {
        if !from_stdin {
            return Ok(Self(None));
        }
        let mut text = String::new();
        std::io::stdin().lock().take(64 << 10).read_to_string(&mut text)?;
        Ok(Self(Some(text.lines().map(str::to_owned).collect::<Vec<_>>().into_iter())))
    }

    fn line(&mut self) -> Option<Result<String, Exit>> {
        let lines = self.0.as_mut()?;
        Some(lines.next().ok_or_else(|| Exit::Usage("standard input ended before all that was asked for".into())))
    }

    /// Asks for what may be seen.
    pub fn visible(&mut self, prompt: &str) -> Result<String, Exit> {
        if self.0.is_some() {
            return Err(Exit::Usage("name the user with --user when the password comes from standard input".into()));
        }
        write!(std::io::stderr(), "{prompt}")?;
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Asks for what nobody may see.
    pub fn hidden(&mut self, prompt: &str) -> Result<String, Exit> {
        if let Some(line) = self.line() {
            return line;
        }
        if !std::io::stdin().is_terminal() {
            return Err(Exit::Usage("there is no terminal to ask at: use --password-stdin".into()));
        }
        rpassword::prompt_password(prompt).map_err(Exit::from)
    }
}
