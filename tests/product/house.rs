//! A running quickstart, and the clients that tests use against it.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use lockgate_testkit::{
    TempDir,
    process::{Running, example, program},
};
use serde_json::Value;

/// An installation with its own data directory.
pub struct House {
    pub ready: Value,
    pub data: PathBuf,
    pub process: Running,
    folder: TempDir,
    program: PathBuf,
}

/// What came back over HTTP.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: String,
    pub headers: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("no JSON ({e}): {self:?}"))
    }
    /// Code of a refusal, or of a failed run.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

pub const ORDER: &str = include_str!("../../orchestrations/order-to-erp/sample.json");
/// Given to quickstart, nothing is left out.
const WITH_DATABASE: &str = "--port=0";

pub const ORDER_PATH: &str = "/demo/development/order-to-erp";

impl House {
    /// Starts quickstart on a free port and waits for its ready line.
    pub fn start() -> Self {
        let folder = lockgate_testkit::temp_dir();
        let data = folder.path().join("data");
        Self::start_in(folder, data, &[])
    }

    /// The same with the practice database; none where PostgreSQL is not installed, which is said.
    pub fn start_with_database() -> Option<Self> {
        let folder = lockgate_testkit::temp_dir();
        let data = folder.path().join("data");
        let house = Self::start_in(folder, data, &[WITH_DATABASE]);
        match house.ready["without_database"].as_str() {
            None => Some(house),
            Some(reason) => {
                lockgate_testkit::skip("the practice database", reason);
                None
            }
        }
    }

    /// The same with `LOCKGATE_LOG` set.
    pub fn start_logging(level: &str) -> Self {
        let folder = lockgate_testkit::temp_dir();
        let data = folder.path().join("data");
        let mut command = Command::new(program());
        command.env("LOCKGATE_LOG", level).args(["quickstart", "--json", "--no-database", "--data"]).arg(&data);
        let (process, ready) = ready(&mut command, &folder);
        Self { ready, data, process, folder, program: program() }
    }

    /// A program that has a connector more, `defect`, with the wordiest log and a folder of its own for
    /// temporary files.
    pub fn start_for_canaries() -> Self {
        let (folder, program) = (lockgate_testkit::temp_dir(), example("lockgate-with-a-defect"));
        let (data, tmp) = (folder.path().join("data"), folder.path().join("tmp"));
        std::fs::create_dir(&tmp).unwrap();
        let mut command = Command::new(&program);
        command.env("LOCKGATE_LOG", "trace").env("TMPDIR", &tmp);
        command.args(["quickstart", "--json", "--no-database", "--data"]).arg(&data);
        let (process, ready) = ready(&mut command, &folder);
        Self { ready, data, process, folder, program }
    }

    /// Starts quickstart again on the same data directory.
    pub fn restart(self, more: &[&str]) -> Self {
        let Self { process, folder, data, .. } = self;
        stop(process);
        Self::start_in(folder, data, more)
    }

    /// Ends the server; the folder goes with what is returned.
    pub fn end(self) -> TempDir {
        stop(self.process);
        self.folder
    }

    /// Goes on with `lockgate serve` on the same data directory, behind `shell` if that is not empty;
    /// the practice endpoint is gone then.
    pub fn serve(self, shell: &str, more: &[&str]) -> Self {
        let Self { process, folder, data, ready: before, program } = self;
        stop(process);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{shell} exec \"$@\""), "sh"]).arg(&program);
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(&data).args(more);
        let (process, serving) = ready(&mut command, &folder);
        let mut ready = before;
        for (old, new) in [("listener_url", "url"), ("ca_file", "ca_file"), ("fingerprint", "fingerprint")] {
            ready[old] = serving[new].clone();
        }
        let context = data.join("context.json");
        let mut signed_in: Value = serde_json::from_slice(&std::fs::read(&context).unwrap()).unwrap();
        signed_in["url"] = serving["url"].clone();
        std::fs::write(&context, signed_in.to_string()).unwrap();
        Self { ready, data, process, folder, program }
    }

    fn start_in(folder: TempDir, data: PathBuf, more: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.args(["quickstart", "--json", "--data"]).arg(&data).args(more);
        if !more.contains(&WITH_DATABASE) {
            command.arg("--no-database");
        }
        let (process, ready) = ready(&mut command, &folder);
        Self { ready, data, process, folder, program: program() }
    }

    pub fn text(&self, member: &str) -> String {
        self.ready[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {}", self.ready)).to_owned()
    }

    /// What the program wrote to standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn administrator(&self) -> String {
        format!("admin:{}", self.text("password"))
    }

    /// One request by curl: `who` is `user:password`, a `Bearer …` header, or nobody.
    pub fn request(&self, who: &str, method: &str, path: &str, body: Option<&str>, headers: &[&str]) -> Reply {
        let reply = self.request_within(120, who, method, path, body, headers);
        reply.unwrap_or_else(|| panic!("{method} {path} is not answered"))
    }

    /// The same; none when there is no reply after so many seconds.
    pub fn request_within(
        &self,
        seconds: u32,
        who: &str,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[&str],
    ) -> Option<Reply> {
        /// What curl says of a time limit of its own.
        const TOO_LATE: i32 = 28;
        let mut curl = Command::new("curl");
        static REQUESTS: AtomicU64 = AtomicU64::new(0);
        let head = self.folder.path().join(format!("head-{}", REQUESTS.fetch_add(1, Ordering::Relaxed)));
        curl.args(["-sS", "-o", "-", "-w", "\n%{http_code}", "--max-time", &seconds.to_string(), "-X", method]);
        curl.arg("--cacert").arg(self.text("ca_file")).arg("-D").arg(&head);
        if who.starts_with("Bearer ") {
            curl.args(["-H", &format!("Authorization: {who}")]);
        } else if !who.is_empty() {
            curl.args(["-u", who]);
        }
        for header in headers {
            curl.args(["-H", header]);
        }
        if body.is_some() {
            if !headers.iter().any(|h| h.to_ascii_lowercase().starts_with("content-type")) {
                curl.args(["-H", "Content-Type: application/json"]);
            }
            curl.args(["--data-binary", "@-"]);
        }
        let output = with_input(curl.arg(format!("{}{path}", self.text("listener_url"))), body.unwrap_or_default());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.code() == Some(TOO_LATE) {
            return None;
        }
        assert!(output.status.success(), "curl {method} {path}: {output:?}");
        let (body, status) = text.rsplit_once('\n').unwrap_or_else(|| panic!("curl: {output:?}"));
        let headers = std::fs::read_to_string(head).unwrap_or_default();
        Some(Reply { status: status.parse().unwrap(), body: body.to_owned(), headers })
    }

    /// POSTs an order.
    pub fn order(&self, who: &str, body: &str) -> Reply {
        self.request(who, "POST", ORDER_PATH, Some(body), &[])
    }

    /// The command line, signed in by this file.
    pub fn cli_as(&self, context: &Path, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(&self.program);
        command.env("LOCKGATE_CONTEXT", context).args(arguments);
        with_input(&mut command, input)
    }

    /// The same at a terminal, on which `typed` is typed; what the terminal shows.
    pub fn cli_at_terminal(&self, context: &Path, arguments: &[&str], typed: &str) -> Output {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let line: Vec<String> =
            std::iter::once(self.program.to_str().unwrap()).chain(arguments.iter().copied()).map(quoted).collect();
        // util-linux: a shell on a terminal of its own; -e hands its exit code on.
        let mut command = Command::new("script");
        command.env("LOCKGATE_CONTEXT", context).args(["-qec", &line.join(" "), "/dev/null"]);
        with_input(&mut command, typed)
    }

    /// The command line as the administrator; it must succeed. Returns what it printed.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = self.cli_as(&self.data.join("context.json"), arguments, "");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same, of a question whose answer is no.
    pub fn cli_no(&self, arguments: &[&str]) -> String {
        let output = self.cli_as(&self.data.join("context.json"), arguments, "");
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(1), &b""[..]), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same with `--json`.
    pub fn cli_json(&self, arguments: &[&str]) -> Value {
        let text = self.cli(&[&["--json"], arguments].concat());
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{arguments:?} printed no JSON ({e}): {text}"))
    }

    /// A second user who has set a password with a one-time token, and has signed in where the console is theirs; returns
    /// `user:password`.
    pub fn user(&self, name: &str, profiles: &[&str]) -> String {
        let mut arguments = vec!["user", "add", name];
        profiles.iter().for_each(|p| arguments.extend(["--profile", p]));
        let token = self.cli_json(&arguments)["token"].as_str().unwrap().to_owned();
        let password = "Korrekt-Pferd-7-Batterie".to_owned();
        let output = self.cli_as(
            &self.folder.path().join(format!("{name}.json")),
            &[
                "login",
                &self.text("listener_url"),
                "--tenant",
                "demo",
                "--user",
                name,
                "--ca",
                &self.text("ca_file"),
                "--token",
                "--password-stdin",
            ],
            &format!("{token}\n{password}\n"),
        );
        let no_console = String::from_utf8_lossy(&output.stderr).contains("console.no-user-interface-access");
        assert!(output.status.success() || no_console, "{output:?}");
        format!("{name}:{password}")
    }
}

/// Starts a server and waits for its ready line.
fn ready(command: &mut Command, folder: &TempDir) -> (Running, Value) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log(folder));
    let mut process = Running::start(command);
    let mut line = String::new();
    BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready = serde_json::from_str(&line).unwrap_or_else(|e| {
        panic!("no ready line ({e}): {line:?}\n{}", std::fs::read_to_string(folder.path().join("log")).unwrap())
    });
    (process, ready)
}

fn log(folder: &TempDir) -> std::fs::File {
    std::fs::OpenOptions::new().create(true).append(true).open(folder.path().join("log")).unwrap()
}

/// Ends a process as a service manager does, and waits for it.
pub fn stop(mut process: Running) {
    // One that has ended has no number any more: it may be another's by now.
    if process.0.try_wait().is_ok_and(|ended| ended.is_some()) {
        return;
    }
    let _ = Command::new("kill").args(["-TERM", &process.0.id().to_string()]).status();
    let _ = process.0.wait();
}

pub fn with_input(command: &mut Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // Who does not read is free not to.
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}
