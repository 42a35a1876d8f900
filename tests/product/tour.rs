//! docs/tour.md is true: its commands are run in their order, as they stand there.

use std::process::Command;

use crate::house::House;

#[test]
fn every_command_of_the_tour_does_what_it_says() {
    let Some(house) = House::start_with_database() else { return };
    let root = lockgate_testkit::workspace_root();
    let here = house.folder().join("tour");
    std::fs::create_dir_all(here.join("bin")).unwrap();
    let link = |from: &std::path::Path, to: &str| std::os::unix::fs::symlink(from, here.join(to)).unwrap();
    link(&lockgate_testkit::process::program(), "bin/lockgate");
    link(&root.join("orchestrations"), "orchestrations");
    let sftp = house.ready["sftp"].clone();
    let of_sftp = |member: &str| sftp[member].as_str().unwrap().to_owned();
    let secret = here.join("password");
    std::fs::write(&secret, of_sftp("password")).unwrap();
    let ask = here.join("askpass");
    std::fs::write(&ask, format!("#!/bin/sh\necho {}\n", of_sftp("password"))).unwrap();
    std::fs::set_permissions(&ask, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let accounts = house.cli_json(&["account", "list", "--env", "development"]);
    let address = |name: &str| {
        let one = accounts["items"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
        one["address"].as_str().unwrap().to_owned()
    };
    let port = |address: &str| address.rsplit_once(':').unwrap().1.split('/').next().unwrap().to_owned();
    let data = house.data.to_str().unwrap().to_owned();
    let words = [
        ("CA_FILE", house.text("ca_file")),
        ("SFTP_PASSWORD_FILE", secret.to_str().unwrap().to_owned()),
        ("SFTP_PORT", port(&of_sftp("address"))),
        ("PASSWORD", house.text("password")),
        ("ORDER_URL", house.text("order_url")),
        ("CRM_PORT", port(&address("crm"))),
        ("CRM_ADDRESS", address("crm")),
        ("ERP_ADDRESS", address("erp")),
        ("HOST_KEY", of_sftp("host_key")),
        ("DATA", data.clone()),
    ];
    let page = std::fs::read_to_string(root.join("docs/tour.md")).unwrap();
    let mut ran = 0;
    for line in page.lines().filter_map(|line| line.strip_prefix("    ")) {
        if line.starts_with("export ") || line.starts_with("alias ") {
            continue;
        }
        let mut command = line.to_owned();
        for (word, value) in &words {
            command = command.replace(word, value);
        }
        if command.contains(" RUN ") {
            let runs = house.cli_json(&["runs", "list", "--env", "development"]);
            command = command.replace("RUN", runs["items"][0]["id"].as_str().unwrap());
        }
        // The first connection asks about the host key, and a person compares it.
        command = command.replace("sftp -P", "sftp -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -P");
        let command = format!("PATH={}:$PATH\n{command}", here.join("bin").display());
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(&here)
            .env("LOCKGATE_CONTEXT", house.data.join("context.json"))
            .env("SSH_ASKPASS", &ask)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        ran += 1;
        if line.starts_with("grep") {
            assert_eq!((output.status.code(), told.as_str()), (Some(1), ""), "something was kept: {told}");
            continue;
        }
        assert!(output.status.success(), "{line}\n{output:?}\n{}", house.log());
        let says = |what: &str| assert!(told.contains(what), "{line}: {told}");
        match line {
            _ if line.contains("curl ") => says("\"accepted\""),
            _ if line.starts_with("cat") => says("SO-1000009"),
            _ if line.starts_with("lockgate access why") => says("missing: "),
            _ if line.ends_with("--dry-run") => says("it would be refused"),
            _ if line.starts_with("lockgate audit verify") => says("holds"),
            _ if line.starts_with("lockgate run customers") => says("customers"),
            _ => {}
        }
    }
    assert!(ran > 25, "{ran} commands");
    assert_eq!(
        house.request(&house.administrator(), "POST", "/demo/test/order-to-erp", Some(crate::house::ORDER), &[]).status,
        200
    );
}
