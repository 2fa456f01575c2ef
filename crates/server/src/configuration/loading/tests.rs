use std::time::Duration;

use tillgate_testkit::TestFolder;

use super::*;
use crate::configuration::KEYS;

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn error_text(flags: &Flags, pairs: &[(&str, &str)]) -> String {
    load_settings(flags, &variables(pairs)).unwrap_err().to_string()
}

#[test]
fn later_layer_overrides_earlier_ones() {
    let folder = TestFolder::new();
    folder.write("tillgate.toml", "[server]\nlisten = \"127.0.0.1:2\"\n");
    let config = folder.write("other.toml", "[server]\nlisten = \"127.0.0.1:3\"\n");
    let variable = [("TILLGATE_SERVER__LISTEN", "127.0.0.1:4")];
    let data = Some(folder.to_path_buf());
    let found = Flags { data: data.clone(), ..Flags::default() };
    let named = Flags { config: Some(config), ..found.clone() };
    let flagged = Flags { listen: Some("127.0.0.1:5".into()), ..named.clone() };
    let empty = Flags { data: Some(folder.join("nothing")), ..Flags::default() };
    for (flags, pairs, port) in [
        (&empty, &[][..], 8080),
        (&found, &[][..], 2),
        (&named, &[][..], 3),
        (&empty, &variable[..], 4),
        (&found, &variable[..], 4),
        (&named, &variable[..], 4),
        (&flagged, &[][..], 5),
        (&flagged, &variable[..], 5),
    ] {
        let settings = load_settings(flags, &variables(pairs)).unwrap();
        assert_eq!(settings.server.listen.port(), port, "{flags:?} {pairs:?}");
    }
}

#[test]
fn unknown_key_is_named_with_a_suggestion() {
    let folder = TestFolder::new();
    let flags = |text: &str| Flags { config: Some(folder.write("a.toml", text)), ..Flags::default() };
    for (text, key, near) in [
        ("[server]\nlisten_on = \"x\"\n", "server.listen_on", "did you mean \"server.listen\"?"),
        ("[database]\nurl_fil = \"x\"\n", "database.url_fil", "did you mean \"database.url_file\"?"),
        ("[session]\nidle = \"1h\"\n", "session.idle", "did you mean \"sessions.idle\"?"),
        ("[sessions]\noverlp = \"1h\"\n", "sessions.overlp", "did you mean \"sessions.overlap\"?"),
    ] {
        let error = error_text(&flags(text), &[]);
        assert!(error.contains("a.toml") && error.contains(key) && error.contains(near), "{error}");
    }
    let far = error_text(&flags("[kitchen]\nsink = 1\n"), &[]);
    assert!(far.contains("kitchen.sink") && !far.contains("did you mean"), "{far}");
    assert!(error_text(&flags("listen = \"x\"\n"), &[]).contains("\"listen\""));
    let error = error_text(&Flags::default(), &[("TILLGATE_SERVER__LISTN", "x")]);
    assert!(error.contains("TILLGATE_SERVER__LISTN") && error.contains("server.listen"), "{error}");
}

#[test]
fn unknown_variable_is_refused_with_a_suggestion() {
    for (name, near) in [
        ("TILLGATE_SERVER_LISTEN", "; did you mean \"TILLGATE_SERVER__LISTEN\"?"),
        ("TILLGATE_DATA", ""),
        ("TILLGATE_LOG_LEVEL", "; did you mean \"TILLGATE_LOG__LEVEL\"?"),
    ] {
        let error = error_text(&Flags::default(), &[(name, "x")]);
        assert_eq!(error, format!("there is no setting for the variable \"{name}\"{near}"));
    }
}

#[test]
fn value_and_file_of_one_source_contradict() {
    let folder = TestFolder::new();
    let text = "[database]\nurl = \"sqlite:a.db\"\nurl_file = \"/dev/null\"\n";
    let flags = Flags { config: Some(folder.write("a.toml", text)), ..Flags::default() };
    let error = error_text(&flags, &[]);
    assert!(error.contains("a.toml sets both database.url and database.url_file"), "{error}");
    let pairs = [("TILLGATE_KEYS__MASTER", "x"), ("TILLGATE_KEYS__MASTER_FILE", "/dev/null")];
    let error = error_text(&Flags::default(), &pairs);
    assert!(error.contains("the environment sets both keys.master and keys.master_file"), "{error}");
}

#[test]
fn list_in_a_file_is_no_text() {
    let folder = TestFolder::new();
    let text = "[server]\nproxies = \"10.0.0.0/8\"\n";
    let flags = Flags { config: Some(folder.write("a.toml", text)), ..Flags::default() };
    let error = error_text(&flags, &[]);
    assert!(error.contains("server.proxies") && error.contains("must be a list in a file"), "{error}");
}

#[test]
fn unreadable_file_is_named_with_its_flag() {
    let missing = Flags { config: Some("/nowhere/at/all.toml".into()), ..Flags::default() };
    let error = error_text(&missing, &[]);
    assert!(error.starts_with("flag --config: /nowhere/at/all.toml: "), "{error}");
}

#[test]
fn kubernetes_service_variables_are_ignored() {
    let pairs = variables(&[
        ("TILLGATE_PORT", "tcp://10.0.0.1:80"),
        ("TILLGATE_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("TILLGATE_SERVICE_HOST", "x"),
        ("TILLGATE_SERVICE_PORT_HTTP", "8080"),
        ("PATH", "/bin"),
    ]);
    assert!(load_settings(&Flags::default(), &pairs).is_ok());
}

#[test]
fn secrets_are_read_from_files() {
    let folder = TestFolder::new();
    let path = folder.write("master", "bWFzdGVy\n");
    let path = path.to_str().unwrap();
    let settings = load_settings(&Flags::default(), &variables(&[("TILLGATE_KEYS__MASTER_FILE", path)])).unwrap();
    assert_eq!(settings.keys.master.unwrap().expose(), "bWFzdGVy");
    let text = format!("[keys]\nmaster_file = {path:?}\n");
    let flags = Flags { config: Some(folder.write("b.toml", &text)), ..Flags::default() };
    assert_eq!(load_settings(&flags, &[]).unwrap().keys.master.unwrap().expose(), "bWFzdGVy");
    assert!(
        error_text(&Flags::default(), &[("TILLGATE_KEYS__MASTER_FILE", "/nowhere/at/all")]).contains("/nowhere/at/all")
    );
    assert!(error_text(&Flags::default(), &[("TILLGATE_SERVER__LISTEN_FILE", path)]).contains("no setting"));
}

#[test]
fn files_with_secrets_are_known() {
    let folder = TestFolder::new();
    let files = |text: &str, pairs: &[(&str, &str)]| {
        let flags = Flags { config: Some(folder.write("c.toml", text)), ..Flags::default() };
        let settings = load_settings(&flags, &variables(pairs)).unwrap();
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let named = settings.secret_files.iter().map(|file| format!("{} {}", file.key, name(&file.path)));
        named.collect::<Vec<_>>()
    };
    let secret = folder.write("secret", "geheim\n");
    let secret = secret.to_str().unwrap();
    let mail = format!("[mail]\nuser = \"till\"\npassword_file = {secret:?}\n");
    assert_eq!(files(&mail, &[]), ["mail.password_file secret"]);
    assert_eq!(files(&mail, &[("TILLGATE_MAIL__PASSWORD", "other")]), [""; 0], "the variable overrides the file");
    let inline = "[mail]\nuser = \"till\"\npassword = \"geheim\"\n";
    assert_eq!(
        files(inline, &[("TILLGATE_KEYS__MASTER_FILE", secret)]),
        ["keys.master_file secret", "mail.password c.toml"]
    );
    for (url, is_secret) in [
        ("sqlite:tillgate.db", false),
        ("postgres://tillgate@db.example/tillgate", false),
        ("postgres:///tillgate?host=db.example", false),
        ("postgres://tillgate:geheim@db.example/tillgate", true),
        ("postgresql://db.example/tillgate?user=tillgate&password=geheim", true),
    ] {
        let found = files(&format!("[database]\nurl = {url:?}\n"), &[]);
        assert_eq!(found, vec!["database.url c.toml"; usize::from(is_secret)], "{url}");
    }
}

#[test]
fn invalid_value_names_its_source_and_requirement() {
    let error = error_text(&Flags::default(), &[("TILLGATE_SESSIONS__IDLE", "90")]);
    assert!(error.contains("TILLGATE_SESSIONS__IDLE") && error.contains("sessions.idle"), "{error}");
    let flags = Flags { listen: Some("nowhere".into()), ..Flags::default() };
    assert!(error_text(&flags, &[]).contains("--listen"));
    let error = error_text(&Flags::default(), &[("TILLGATE_SESSIONS__OVERLAP", "15m")]);
    assert!(error.contains("sessions.overlap") && error.contains("sessions.access"), "{error}");
}

#[test]
fn debug_output_contains_no_secret() {
    let pairs =
        variables(&[("TILLGATE_DATABASE__URL", "postgres://u:geheim@h/d"), ("TILLGATE_KEYS__MASTER", "geheim")]);
    assert!(!format!("{:?}", load_settings(&Flags::default(), &pairs).unwrap()).contains("geheim"));
}

#[test]
fn file_in_the_data_folder_cannot_move_the_data_folder() {
    let folder = TestFolder::new();
    folder.write("tillgate.toml", "[server]\ndata = \"/elsewhere\"\n");
    let layers = |text: &str| {
        let mut layers = Layers::new(KEYS);
        layers.add_file("tillgate.toml", text.parse().unwrap()).unwrap();
        layers
    };
    let file = layers("[server]\ndata = \"/elsewhere\"\n");
    assert!(check_data_folder(&file, &Layers::new(KEYS), &folder, &folder.join("tillgate.toml")).is_err());
    assert!(check_data_folder(&layers("[server]\n"), &Layers::new(KEYS), &folder, &folder).is_ok());
    // a flag overrides the file
    let flags = Flags { data: Some(folder.to_path_buf()), ..Flags::default() };
    assert_eq!(load_settings(&flags, &[]).unwrap().server.data, *folder);
}

#[test]
fn mounts_are_read_from_the_file() {
    let folder = TestFolder::new();
    let flags = |text: &str| Flags { config: Some(folder.write("m.toml", text)), ..Flags::default() };
    let default_mounts = load_settings(&Flags::default(), &[]).unwrap().mounts;
    assert_eq!(default_mounts.first().unwrap().prefix, "/portos");
    let names = |mounts: &[crate::configuration::mount_rows::MountConfig]| {
        mounts.iter().map(|mount| mount.dialect.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&default_mounts),
        ["portos", "kasir", "fiuu", "krmpesan", "office"],
        "PosStar is not mounted by default"
    );
    let demo = load_settings(&Flags { every_dialect: true, ..Flags::default() }, &[]).unwrap().mounts;
    assert_eq!(names(&demo), ["portos", "kasir", "fiuu", "posstar", "krmpesan", "office"]);
    let root = "[[mounts]]\ndialect = \"portos\"\nprefix = \"\"\nhost = \"pos.example.com\"\n";
    let mounts = load_settings(&flags(root), &[]).unwrap().mounts;
    assert_eq!((mounts.len(), mounts[0].prefix.as_str(), mounts[0].tenant.as_ref()), (1, "", None));
    for (bad, why) in [
        ("[[mounts]]\ndialect = \"telex\"\nprefix = \"/t\"\n", "telex"),
        ("[[mounts]]\ndialect = \"portos\"\nprefix = \"t/\"\n", "prefix"),
        ("[[mounts]]\ndialect = \"portos\"\nprefix = \"/t\"\ntenent = \"a\"\n", "tenent"),
        ("[[mounts]]\ndialect = \"portos\"\nprefix = \"/t\"\ntenant = \"A B\"\n", "lower-case"),
        ("[[mounts]]\ndialect = \"portos\"\nprefix = \"/t\"\nhost = \"\"\n", "host"),
        ("[[mounts]]\ndialect = \"portos\"\nprefix = \"/t\"\nhost = \"pos.example:8080\"\n", "without a port"),
    ] {
        let error = error_text(&flags(bad), &[]);
        assert!(error.contains("mounts (number 1)") && error.contains(why), "{error}");
    }
    assert!(load_settings(&flags("mounts = []\n"), &[]).unwrap().mounts.is_empty());
}

/// The configuration file in the repository.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/tillgate.toml");

#[test]
fn example_file_has_every_key_with_its_default() {
    let text = std::fs::read_to_string(EXAMPLE).unwrap();
    let table: Table = text.parse().unwrap();
    for key in KEYS {
        let (section, name) = key.path.split_once('.').unwrap();
        let present = table.get(section).and_then(|section| section.get(name)).is_some();
        assert!(present, "{} is missing in config/tillgate.toml (default {:?})", key.path, key.default);
        let own = text.split(&format!("[{section}]\n")).nth(1).unwrap();
        let lines: Vec<&str> = own.lines().collect();
        let at = lines.iter().position(|line| line.starts_with(&format!("{name} ="))).unwrap();
        assert!(at > 0 && lines[at - 1].starts_with("# "), "{} has no comment in config/tillgate.toml", key.path);
    }
    let example = load_settings(&Flags { config: Some(EXAMPLE.into()), ..Flags::default() }, &[]).unwrap();
    let empty = Flags { data: Some("/nowhere/at/all".into()), ..Flags::default() };
    let mut defaults = load_settings(&empty, &[]).unwrap();
    defaults.server.data = PathBuf::from("./data");
    defaults.flags.clone_from(&example.flags);
    assert_eq!(example, defaults);
    assert_eq!(example.sessions.idle, Duration::from_hours(720));
}

#[test]
fn system_file_is_read_if_no_other_exists() {
    let folder = TestFolder::new();
    let system = folder.write("system.toml", "[server]\nlisten = \"127.0.0.1:7\"\n");
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    let flags = Flags { data: Some(data.clone()), ..Flags::default() };
    let port = |flags: &Flags, system: &Path| load_with_system_file(flags, &[], system).unwrap().server.listen.port();
    assert_eq!(port(&flags, &system), 7);
    assert_eq!(port(&flags, &folder.join("none.toml")), 8080);
    let named =
        Flags { config: Some(folder.write("own.toml", "[server]\nlisten = \"127.0.0.1:8\"\n")), ..flags.clone() };
    assert_eq!(port(&named, &system), 8);
    std::fs::write(data.join("tillgate.toml"), "[server]\nlisten = \"127.0.0.1:9\"\n").unwrap();
    assert_eq!(port(&flags, &system), 9);
}

#[test]
fn command_repeats_the_flags_of_the_installation() {
    let command = |flags: Flags| load_settings(&flags, &[]).unwrap().command("user list");
    let data = Some(PathBuf::from("/nowhere/my shop's"));
    let flags = Flags { data, listen: Some("127.0.0.1:5".into()), ..Flags::default() };
    assert_eq!(command(flags.clone()), r"tillgate user list --data '/nowhere/my shop'\''s'");
    let database = |url: &str| command(Flags { database: Some(url.into()), ..flags.clone() });
    for (url, shown) in [
        ("postgres://u:secret@h/d", "postgres://u:PASSWORD@h/d"),
        ("postgres://u@h:5433/d", "postgres://u@h:5433/d"),
        ("postgres://u:secret@h/d?sslmode=require", "'postgres://u:PASSWORD@h/d?sslmode=require'"),
        ("postgres://u@h/d?password=secret", "URL"),
        ("postgres://u:se@cret@h/d", "URL"),
    ] {
        assert!(database(url).ends_with(&format!(" --database {shown}")), "{}", database(url));
    }
    assert!(database("sqlite:a b.db").ends_with(" --database 'sqlite:a b.db'"));
}
