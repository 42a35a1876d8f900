//! `lockgate new NAME`: a project folder that checks, builds and runs from the first minute.

use std::path::PathBuf;

use clap::Args;
use lockgate_model::id::ProjectId;
use serde_json::json;

use crate::{exit::Exit, output::Output};

/// Arguments of `new`.
#[derive(Args)]
pub struct New {
    /// Name of the project and of its folder.
    name: ProjectId,
    /// Make the folder here.
    #[arg(long, default_value = ".")]
    r#in: PathBuf,
}

const FILES: [(&str, &str); 7] = [
    ("project.yaml", include_str!("template/project.yaml")),
    ("NAME.flow.yaml", include_str!("template/flow.yaml")),
    ("greeting.map.yaml", include_str!("template/map.yaml")),
    ("types/person.json", include_str!("template/person.json")),
    ("types/greeting.json", include_str!("template/greeting.json")),
    ("sample.json", include_str!("template/sample.json")),
    ("cases/NAME/1.yaml", include_str!("template/case.yaml")),
];

impl New {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let folder = self.r#in.join(self.name.as_str());
        if folder.exists() {
            return Err(Exit::Usage(format!("`{}` exists already: choose another name", folder.display())));
        }
        let named = |text: &str| text.replace("NAME", self.name.as_str());
        for (path, text) in FILES {
            let path = folder.join(named(path));
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, named(text))?;
        }
        let shown = folder.display();
        output.result(&json!({"project": self.name, "folder": shown.to_string()}), || {
            format!(
                "made {shown}\n\nnext:\n  lockgate check {shown}\n  lockgate test {shown}\n  lockgate map {shown}/greeting.map.yaml < {shown}/sample.json\n  lockgate push {shown} && lockgate deploy {} development",
                self.name
            )
        });
        Ok(())
    }
}
