//! The `lockgate` program: command line and composition root.
//!
//! Each command is one file: `author/` needs no server, `publish/` and `administer/` speak the admin
//! API of one, `operate/` runs one. What they do is done in other crates; here it is wired and shown.
//!
//! Deliberately absent: any decision, any format, any rule of the product.

mod administer;
mod author;
mod client;
mod context;
mod exit;
mod operate;
mod output;
mod publish;
mod typed;

use std::{process::ExitCode, sync::Arc};

use clap::{CommandFactory, Parser, Subcommand};
use lockgate_connector_api::Registry;

use crate::{exit::Exit, output::Output};

/// Of every program that is made of this crate (docs/decisions/0039).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An integration runtime with gates: flows and mappings compiled to WebAssembly, and at each execute and
/// deploy the question who may.
#[derive(Parser)]
#[command(name = "lockgate", version, max_term_width = 100, disable_help_subcommand = true)]
struct Cli {
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    // --- authors
    /// Make a new project folder with a flow, a mapping and a sample.
    New(author::new::New),
    /// Find all problems of a project, with their places.
    Check(author::check::Check),
    /// Compile a project to modules and show their digests and what they may touch.
    Build(author::build::Build),
    /// Run the test cases of a project, without a server.
    Test(author::test::Test),
    /// Put the files of a project into their canonical form.
    Fmt(author::fmt::Fmt),
    /// Show what the flows of one project may touch that those of another could not.
    Diff(author::diff::Diff),
    /// Draw a flow or a mapping as SVG
    Draw(author::draw::Draw),
    /// Run a mapping file over documents from standard input, without a server.
    Map(author::map::Map),
    /// Evaluate a JSONata expression over a document from standard input, without a server.
    Eval(author::eval::Eval),
    /// Try expressions at a prompt that shows their values while they are typed.
    Repl(author::repl::Repl),
    // --- publishers
    /// Sign in to a server and remember it as the context.
    Login(publish::login::Login),
    /// Store the sources of a project on the server as a new version.
    Push(publish::push::Push),
    /// Activate a version in an environment.
    Deploy(publish::deploy::Deploy),
    /// What is active in an environment.
    Deployments(publish::deploy::Deployments),
    /// Activate in one environment what is active in another: the same bytes.
    Promote(publish::promote::Promote),
    /// Activate what was active before: the same bytes.
    Rollback(publish::promote::Rollback),
    /// Take over the publish right of what is active, with its bytes and accounts as they are.
    Adopt(publish::adopt::Active),
    /// End what is active of a project in an environment.
    Undeploy(publish::adopt::Active),
    /// Run an orchestration now, on the server or, with `--local`, here.
    Run(publish::run::Run),
    /// Look at runs.
    #[command(subcommand)]
    Runs(publish::runs::Runs),
    /// Log lines of runs, from the server's memory.
    Logs(publish::logs::Logs),
    /// What runs by itself: list, pause, resume, run now.
    #[command(subcommand)]
    Schedule(publish::schedule::Schedule),
    /// Bind accounts: address, server identity and secrets of an endpoint in an environment.
    #[command(subcommand)]
    Account(publish::account::Account),
    // --- administrators
    /// Users, service accounts, their profiles and keys.
    #[command(subcommand)]
    User(administer::user::User),
    /// Live sessions: list, end.
    #[command(subcommand)]
    Session(administer::session::Session),
    /// One's own second factor: codes of an authenticator.
    #[command(subcommand)]
    SecondFactor(administer::second_factor::SecondFactor),
    /// Support access: let the operator look at metadata for some hours.
    #[command(subcommand)]
    Support(administer::support::Support),
    /// The tenant's own record and limits.
    #[command(subcommand)]
    Tenant(administer::tenant::Tenant),
    /// What the tenant asks of passwords.
    PasswordPolicy(administer::password_policy::PasswordPolicy),
    /// Groups of users.
    #[command(subcommand)]
    Group(administer::group::Group),
    /// Access profiles.
    #[command(subcommand)]
    Profile(administer::profile::Profile),
    /// Access control lists.
    #[command(subcommand)]
    Acl(administer::acl::Acl),
    /// Environments (stages).
    #[command(subcommand)]
    Env(administer::env::Env),
    /// Make a tenant what files say: users, profiles, lists, accounts without secrets, schedules.
    Apply(administer::apply::Apply),
    /// Write what a tenant is into files that `apply` reads.
    Export(administer::export::Export),
    /// Explain who may do what.
    #[command(subcommand)]
    Access(administer::access::Access),
    /// The audit log.
    #[command(subcommand)]
    Audit(administer::audit::Audit),
    // --- operators
    /// A whole installation on this machine, with practice endpoints (an HTTPS service, a file server, and
    /// a database where PostgreSQL is installed) and a first order.
    Quickstart(operate::quickstart::Quickstart),
    /// Serve listeners and the admin API.
    Serve(operate::serve::Serve),
    /// Write everything of an installation into one encrypted archive, while it serves or not.
    Backup(operate::backup::Backup),
    /// Put a backup into an empty data directory.
    Restore(operate::restore::Restore),
    /// What only the operator may do, over the server's local socket.
    #[command(subcommand)]
    Operator(operate::operator::Operator),
    /// The connectors of this program.
    #[command(subcommand)]
    Connector(operate::connector::Connector),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Runs the command line that this process was started with, over these connectors.
pub fn run(connectors: Registry) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refused) => return not_taken(&refused),
    };
    let output = Output::new(cli.json);
    let done = dispatch(cli.command, &Arc::new(connectors), &output).and_then(|()| output.end());
    if let Err(exit) = &done {
        output.failure(exit);
    }
    done.err().map_or(0, |exit: Exit| exit.code()).into()
}

/// A command line that asks for help or the version, or that cannot be taken.
fn not_taken(refused: &clap::Error) -> ExitCode {
    let output = Output::new(std::env::args_os().any(|argument| argument == "--json"));
    let exit = if refused.use_stderr() && output.is_json() {
        // What is wrong; how it would be right is for people.
        let text = refused.render().to_string();
        let wrong = text.split("\n\n").next().unwrap_or_default();
        let wrong = wrong.split_whitespace().collect::<Vec<_>>().join(" ");
        Exit::Usage(wrong.strip_prefix("error: ").unwrap_or(&wrong).to_owned())
    } else {
        match refused.print() {
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Exit::from(e),
            _ => return u8::try_from(refused.exit_code()).unwrap_or(2).into(),
        }
    };
    output.failure(&exit);
    exit.code().into()
}

fn dispatch(command: Command, connectors: &Arc<Registry>, output: &Output) -> Result<(), Exit> {
    match command {
        Command::New(c) => c.run(output),
        Command::Check(c) => c.run(connectors, output),
        Command::Build(c) => c.run(connectors, output),
        Command::Test(c) => c.run(connectors, output),
        Command::Fmt(c) => c.run(output),
        Command::Diff(c) => c.run(connectors, output),
        Command::Draw(c) => c.run(output),
        Command::Map(c) => c.run(output),
        Command::Eval(c) => c.run(output),
        Command::Repl(c) => c.run(output),
        Command::Login(c) => c.run(output),
        Command::Push(c) => c.run(connectors, output),
        Command::Deploy(c) => c.run(output),
        Command::Deployments(c) => c.run(output),
        Command::Promote(c) => c.run(output),
        Command::Rollback(c) => c.run(output),
        Command::Adopt(c) => c.adopt(output),
        Command::Undeploy(c) => c.undeploy(output),
        Command::Run(c) => c.run(connectors, output),
        Command::Runs(c) => c.run(output),
        Command::Logs(c) => c.run(output),
        Command::Schedule(c) => c.run(output),
        Command::Account(c) => c.run(connectors, output),
        Command::User(c) => c.run(output),
        Command::Session(c) => c.run(output),
        Command::Support(c) => c.run(output),
        Command::SecondFactor(c) => c.run(output),
        Command::Tenant(c) => c.run(output),
        Command::PasswordPolicy(c) => c.run(output),
        Command::Group(c) => c.run(output),
        Command::Profile(c) => c.run(output),
        Command::Acl(c) => c.run(output),
        Command::Env(c) => c.run(output),
        Command::Apply(c) => c.run(output),
        Command::Export(c) => c.run(output),
        Command::Access(c) => c.run(output),
        Command::Audit(c) => c.run(output),
        Command::Quickstart(c) => c.run(connectors, output),
        Command::Serve(c) => c.run(connectors, output),
        Command::Backup(c) => c.run(connectors, output),
        Command::Restore(c) => c.run(output),
        Command::Operator(c) => c.run(output),
        Command::Connector(c) => c.run(connectors, output),
        Command::Completions { shell } => {
            // Into memory first: the generator takes a failed write for a defect.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "lockgate", &mut script);
            output.bytes(&script)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
