//! Documents from elsewhere: `build` alone fetches them, all else takes them as they are locked.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use lockgate_testkit::{
    SoapPeer, TempDir,
    https_peer::HttpsPeer,
    pki::{Pki, Server},
    process::program,
};
use serde_json::{Value, json};

use crate::house::{House, with_input};

/// A TLS server that has documents.
struct Library {
    peer: HttpsPeer,
    folder: TempDir,
    ca: PathBuf,
    _runtime: tokio::runtime::Runtime,
}

impl Library {
    fn open(kind: Server) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let pki = Pki::new();
        let config = pki.server_config(kind, false, &["http/1.1"]);
        let peer = runtime.block_on(HttpsPeer::start(config));
        let folder = lockgate_testkit::temp_dir();
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, pki.ca_pem()).unwrap();
        Self { peer, folder, ca, _runtime: runtime }
    }

    fn address(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.peer.port())
    }

    /// A project with these tasks and files.
    fn project(&self, name: &str, head: &str, tasks: &str) -> PathBuf {
        let root = self.folder.path().join(name);
        std::fs::create_dir_all(root.join("types")).unwrap();
        std::fs::write(root.join("project.yaml"), format!("project: {name}\n")).unwrap();
        let flow = format!(
            "document: {{ dsl: '1.0.3', namespace: t, name: {name}, version: '1.0.0' }}\n\
             evaluate: {{ language: jsonata }}\n{head}do: {tasks}\n"
        );
        std::fs::write(root.join(format!("{name}.flow.yaml")), flow).unwrap();
        root
    }

    fn build(&self, root: &Path, more: &[&str]) -> Output {
        let (root, ca) = (root.to_str().unwrap(), self.ca.to_str().unwrap());
        lockgate(&[&["build", root, "--ca", ca, "--json"], more].concat())
    }

    #[track_caller]
    fn built(&self, root: &Path, more: &[&str]) -> Value {
        let output = self.build(root, more);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn lockgate(arguments: &[&str]) -> Output {
    with_input(Command::new(program()).args(arguments), "")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn files(root: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(root.join("lock")) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn get(endpoint: &str) -> String {
    format!(
        "[a: {{ call: openapi, with: {{ document: {{ endpoint: '{endpoint}' }}, operationId: get, parameters: {{ id: 1 }} }} }}]"
    )
}

const API: &str = "openapi: 3.0.3\npaths:\n  /pets/{id}: { get: { operationId: get, parameters: [{ $ref: 'parts/common.yaml#/id' }] } }\n";
const COMMON: &str = "id: { name: id, in: path, required: true, schema: { type: integer } }\n";

#[test]
fn what_cannot_be_fetched_is_told_where_it_is_named_and_nothing_is_written() {
    let library = Library::open(Server::Good);
    library.peer.put("/latin", "application/json", &b"{\"a\": \"\xfc\"}"[..]);
    let plain = format!("/redirect/302?to=http://localhost:{}/x", library.peer.port());
    let round = "/redirect/302?to=/redirect/302";
    library.peer.put("/loop", "text/plain", "");
    for (path, says) in [
        ("/status/404", "404"),
        ("/big/8388609", "cannot reach"),
        ("/endless", "cannot reach"),
        (plain.as_str(), "which is no https address"),
        (round, "cannot fetch"),
        ("/latin", "no text in UTF-8"),
        ("/text", "no description of an API"),
    ] {
        let root = library.project("flow", "", &get(&library.address(path)));
        let output = library.build(&root, &[]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{path}: {error}");
        assert!(error.contains(says) && error.contains("flow.flow.yaml"), "{path}: {error}");
        if path != "/text" {
            assert!(error.contains("LG-IMPORT-FETCH"), "{error}");
            assert_eq!(files(&root), Vec::<String>::new(), "{path}");
        }
    }
    // Without the authority, and from a server that does not prove itself.
    let root = library.project("other", "", &get(&library.address("/api.yaml")));
    let error = text(&lockgate(&["build", root.to_str().unwrap()]).stderr);
    assert!(error.contains("did not prove its identity"), "{error}");
    for kind in Server::BAD {
        let library = Library::open(kind);
        let root = library.project("bad", "", &get(&library.address("/api.yaml")));
        let error = text(&library.build(&root, &[]).stderr);
        assert!(error.contains("LG-IMPORT-FETCH"), "{error}");
        assert_eq!(library.peer.requests().len(), 0);
    }
}

#[test]
fn build_alone_fetches_and_the_rest_takes_what_is_locked() {
    let library = Library::open(Server::Good);
    library.peer.put("/api/pets.yaml", "application/yaml; charset=utf-8", API);
    library.peer.put("/api/parts/common.yaml", "text/plain", COMMON);
    let address = library.address("/api/pets.yaml");
    let root = library.project("pets", "", &get(&address));
    let folder = root.to_str().unwrap().to_owned();

    // Nothing else does, and each says what to do.
    let file = root.join("pets.flow.yaml").to_str().unwrap().to_owned();
    for arguments in [vec!["check", &folder], vec!["test", &folder], vec!["run", "--local", &file]] {
        let error = text(&lockgate(&arguments).stderr);
        assert!(error.contains("LG-IMPORT-LOCK") && error.contains("lockgate build"), "{arguments:?} {error}");
    }
    assert_eq!(library.peer.connections(), 0);

    let built = library.built(&root, &[]);
    let common = library.address("/api/parts/common.yaml");
    let change = |address: &str, change: &str| json!({ "address": address, "change": change });
    assert_eq!(built["documents"], json!([change(&common, "locked"), change(&address, "locked")]));
    assert_eq!(built["modules"][0]["manifest"]["operations"][0]["detail"], json!(["/pets/*"]));
    let lock: Value = serde_json::from_str(&std::fs::read_to_string(root.join("lock/imports.json")).unwrap()).unwrap();
    assert_eq!(lock[&address]["media_type"], "application/yaml");
    assert_eq!(lock.as_object().unwrap().len(), 2);
    assert_eq!(files(&root).len(), 3);

    let before = library.peer.connections();
    std::fs::create_dir_all(root.join("cases/pets")).unwrap();
    let case =
        "mocks: { https.get: [{ expect: { path: [pets, '1'] }, answer: { body: ok } }] }\nexpect: { output: ok }\n";
    std::fs::write(root.join("cases/pets/1.yaml"), case).unwrap();
    for arguments in [vec!["check", &folder], vec!["test", &folder]] {
        let output = lockgate(&arguments);
        assert!(output.status.success(), "{arguments:?} {} {}", text(&output.stdout), text(&output.stderr));
    }
    // What is locked is not fetched again.
    let again = library.built(&root, &[]);
    assert_eq!(again["documents"], json!([]));
    assert_eq!(library.peer.connections(), before);

    // Another document there changes nothing here, until it is asked for.
    library.peer.put("/api/parts/common.yaml", "text/plain", COMMON.replace("integer", "string"));
    let still = library.built(&root, &[]);
    assert_eq!(still["source"], again["source"]);
    let update = library.build(&root, &["--update"]);
    let error = text(&update.stderr);
    assert!(error.contains("LG-WRONG-TYPE"), "the other parameter is a text: {error}");
    std::fs::write(root.join("pets.flow.yaml"), std::fs::read_to_string(&file).unwrap().replace("id: 1", "id: '1'"))
        .unwrap();
    let updated = library.built(&root, &[]);
    assert_ne!(updated["source"], again["source"], "the source digest covers the lock");
    assert_eq!(files(&root).len(), 3, "what is no longer named is gone");

    // A locked document that was changed by hand is refused, and fetched again as it was.
    let spoiled = files(&root).into_iter().find(|name| *name != "imports.json").unwrap();
    let spoiled = root.join("lock").join(spoiled);
    let sound = std::fs::read(&spoiled).unwrap();
    std::fs::write(&spoiled, [&sound[..], b"\n"].concat()).unwrap();
    let error = text(&lockgate(&["check", &folder]).stderr);
    assert!(error.contains("LG-IMPORT-DIGEST") && error.contains("lockgate build"), "{error}");
    assert_eq!(library.built(&root, &[])["source"], updated["source"]);
    assert_eq!(std::fs::read(&spoiled).unwrap(), sound);
    // Where it is another by now it is not taken for the one that was locked.
    std::fs::remove_file(&spoiled).unwrap();
    library.peer.put("/api/pets.yaml", "application/yaml", format!("{API}# more\n"));
    library.peer.put(
        "/api/parts/common.yaml",
        "text/plain",
        format!("{}# more\n", COMMON.replace("integer", "string")),
    );
    let error = text(&library.build(&root, &[]).stderr);
    assert!(error.contains("LG-IMPORT-CHANGED") && error.contains("--update"), "{error}");
    let all = library.built(&root, &["--update"]);
    assert_eq!(all["documents"], json!([change(&common, "changed"), change(&address, "changed")]));

    // Nothing names them any more.
    library.project("pets", "", "[a: { set: { b: 1 } }]");
    std::fs::remove_dir_all(root.join("cases")).unwrap();
    let none = library.built(&root, &[]);
    assert_eq!(none["documents"], json!([change(&common, "no longer named"), change(&address, "no longer named")]));
    assert!(!root.join("lock").exists());
}

#[test]
fn the_server_compiles_with_what_is_locked() {
    let library = Library::open(Server::Good);
    let order = "{\"type\": \"object\", \"properties\": {\"n\": {\"$ref\": \"parts.json#/definitions/n\"}}}";
    library.peer.put("/order.json", "application/json", order);
    library.peer.put("/parts.json", "application/json", "{\"definitions\": {\"n\": {\"type\": \"integer\"}}}");
    library.peer.put("/moved", "application/json", "");
    let schema = format!("input: {{ schema: {{ resource: {{ endpoint: '{}' }} }} }}\n", library.address("/order.json"));
    let root = library.project("held", &schema, "[a: { set: { twice: '${ n * 2 }' } }]");
    // A type of the project leads elsewhere, too.
    let xsd = |rest: &str| format!("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>{rest}</xs:schema>");
    library.peer.put("/t/base.xsd", "application/xml", xsd("<xs:include schemaLocation='code.xsd'/><xs:complexType name='line'><xs:sequence><xs:element name='code' type='code'/></xs:sequence></xs:complexType>"));
    library.peer.put("/t/code.xsd", "application/xml", xsd("<xs:simpleType name='code'><xs:restriction base='xs:string'><xs:maxLength value='3'/></xs:restriction></xs:simpleType>"));
    let include = format!(
        "<xs:include schemaLocation='{}'/><xs:element name='line' type='line'/>",
        library.address("/t/base.xsd")
    );
    std::fs::write(root.join("types/line.xsd"), xsd(&include)).unwrap();
    let part =
        format!("{{\"properties\": {{\"n\": {{\"$ref\": \"{}#/definitions/n\"}}}}}}", library.address("/parts.json"));
    std::fs::write(root.join("types/part.json"), part).unwrap();
    let built = library.built(&root, &[]);
    assert_eq!(built["documents"].as_array().unwrap().len(), 4);
    let connections = library.peer.connections();

    let house = House::start();
    let (folder, admin) = (root.to_str().unwrap(), house.administrator());
    let context = house.data.join("context.json");
    for command in [vec!["push", folder], vec!["deploy", "held", "development"]] {
        let output = house.cli_as(&context, &command, "");
        assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    }
    let ask = |body: &str| house.request(&admin, "POST", "/demo/development/held", Some(body), &[]);
    let reply = ask("{\"n\": 4}");
    assert_eq!((reply.status, reply.json()), (200, json!({ "twice": 8 })));
    let refused = ask("{\"n\": 1.5}");
    assert_eq!(refused.status, 400, "{}", house.log());
    assert_eq!(library.peer.connections(), connections, "nothing but `build` connects");
}

/// A project that imports what a service says of itself, over TLS; the service is on spyne.
#[test]
fn a_service_is_called_by_the_description_that_was_built() {
    let pki = Pki::new();
    let Some(service) = SoapPeer::spyne(&pki, "1.1") else { return };
    let origin = format!("https://localhost:{}", service.port());
    let folder = lockgate_testkit::temp_dir();
    let (ca, root) = (folder.path().join("ca.pem"), folder.path().join("parcels"));
    std::fs::write(&ca, pki.ca_pem()).unwrap();
    std::fs::create_dir_all(root.join("cases/parcels")).unwrap();
    let (ca, path) = (ca.to_str().unwrap(), root.to_str().unwrap());
    let accounts = "project: parcels\naccounts: { carrier: { connector: soap, operations: [call, read] } }\n";
    std::fs::write(root.join("project.yaml"), accounts).unwrap();
    let file = root.join("parcels.flow.yaml");
    let flow = |operation: &str| PARCELS.replace("ORIGIN", &origin).replace("OPERATION", operation);
    std::fs::write(root.join("cases/parcels/1.yaml"), PARCELS_CASE).unwrap();

    // An operation that the service does not have is told when the description is there.
    std::fs::write(&file, flow("sent")).unwrap();
    let error = text(&lockgate(&["check", path]).stderr);
    assert!(error.contains("LG-IMPORT-LOCK") && error.contains("lockgate build"), "{error}");
    let error = text(&lockgate(&["build", path, "--ca", ca]).stderr);
    assert!(error.contains("LG-WSDL-OPERATION") && error.contains("did you mean `send`?"), "{error}");
    std::fs::write(&file, flow("send")).unwrap();
    let output = lockgate(&["build", path, "--ca", ca, "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let built: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        built["modules"][0]["manifest"]["operations"][0]["detail"],
        json!(["Application.send", "send", "{urn:lockgate:parcels}send"])
    );
    assert!(files(&root).iter().any(|name| name.ends_with(".wsdl")));
    let output = lockgate(&["test", path]);
    assert!(output.status.success(), "{} {}", text(&output.stdout), text(&output.stderr));

    let house = House::start();
    let (admin, context, data) = (house.administrator(), house.data.join("context.json"), house.data.to_str().unwrap());
    let allow = ["operator", "egress", "allow", "--data", data, "demo", "development", "127.0.0.1/32", "1-65535"];
    let address = format!("https://127.0.0.1:{}", service.port());
    let account = ["account", "add", "carrier", "--env", "development", "--connector", "soap", "--address", &address];
    for command in [
        &allow[..],
        &[&account[..], &["--ca", ca, "--set", "addressing=1.0"]].concat(),
        &["account", "test", "carrier", "--env", "development"],
        &["push", path],
        &["deploy", "parcels", "development"],
    ] {
        let output = house.cli_as(&context, command, "");
        assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    }
    let ask = |body: Value| {
        let reply = house.request(&admin, "POST", "/demo/development/parcels", Some(&body.to_string()), &[]);
        assert_eq!(reply.status, 200, "{reply:?} {}", house.log());
        reply.json()
    };
    let line = json!({"article": "pen & ink", "count": 2, "weight": 1.5});
    let parcel = json!({"number": "P-1", "sent": "2026-11-23T06:30:00Z", "lines": {"Line": [line]}});
    assert_eq!(ask(json!({ "parcel": parcel })), json!({"weight": "3.0"}));
    assert_eq!(ask(json!({"number": "P-1"})), json!({"article": "pen & ink"}));
    let told = ask(json!({"number": "P-2"}));
    assert_eq!(told["code"], "soap-fault");
    assert!(told["why"].as_str().unwrap().ends_with("Sender.Unknown: there is no such parcel"), "{told}");
}

const PARCELS: &str = "document: { dsl: '1.0.3', namespace: t, name: parcels, version: '1.0.0' }
evaluate: { language: jsonata }
do:
  - which:
      switch:
        - sends: { when: '${ $exists(parcel) }', then: send }
        - finds: { then: find }
  - send:
      call: soap.call:1@default
      with: { account: carrier, wsdl: 'ORIGIN/?wsdl', operation: OPERATION, input: { parcel: '${ parcel }' } }
      output: { as: { weight: '${ output.sendResult }' } }
      then: end
  - find:
      try:
        - ask:
            call: soap.read:1@default
            with: { account: carrier, wsdl: 'ORIGIN/?wsdl', operation: find, input: { number: '${ number }' } }
            output: { as: { article: '${ output.findResult.lines.Line.article }' } }
      catch:
        errors: { with: { status: 500 } }
        as: error
        do: [told: { set: { code: '${ $error.code }', why: '${ $error.detail }' } }]
";
const PARCELS_CASE: &str = "input: { number: P-1 }
mocks:
  carrier.read:
    - expect: { operation: find, input: { number: P-1 } }
      answer: { output: { findResult: { lines: { Line: [{ article: pen }] } } } }
expect: { output: { article: pen } }
";
