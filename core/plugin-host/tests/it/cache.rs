//! Compiled components are kept, and anything odd about them is compiled again.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use plugin_host::{Grants, LoadError, ManifestError, Options, PluginHost};

use crate::fixture::{assess, hostile};

fn host(folder: &Path) -> PluginHost {
    PluginHost::new(Options { cache_dir: Some(folder.to_owned()), ..Options::default() }).expect("a host")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect()
}

#[tokio::test]
async fn a_component_is_compiled_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("compiled");
    host(&folder).load(hostile()).expect("it compiles");
    let [file] = files(&folder).try_into().expect("one compiled component and no left-overs");
    assert_eq!(fs::metadata(&folder).expect("the folder").permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);

    let written = fs::metadata(&file).expect("the file").modified().expect("a time");
    let plugin = host(&folder).load(hostile()).expect("it is mapped");
    assert_eq!(fs::metadata(&file).expect("the file").modified().expect("a time"), written, "nothing was compiled");
    assess(&plugin, r#"{"behave":null}"#, &Grants::default()).await.expect("the mapped code runs");
}

#[tokio::test]
async fn a_file_that_is_damaged_or_open_to_others_is_not_trusted() {
    let folder = tempfile::tempdir().expect("a folder");
    host(folder.path()).load(hostile()).expect("it compiles");
    let [file] = files(folder.path()).try_into().expect("one compiled component");
    let good = fs::read(&file).expect("the code");

    fs::write(&file, b"not code").expect("damage");
    let plugin = host(folder.path()).load(hostile()).expect("it is compiled again");
    assess(&plugin, r#"{"behave":null}"#, &Grants::default()).await.expect("it runs");
    assert_eq!(fs::read(&file).expect("the code").len(), good.len(), "the damaged file was replaced");

    fs::set_permissions(&file, Permissions::from_mode(0o666)).expect("opened");
    host(folder.path()).load(hostile()).expect("it is compiled again");
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600, "the open file was replaced");
}

#[test]
fn what_is_no_plugin_is_refused_before_anything_runs() {
    let host = PluginHost::new(Options::default()).expect("a host");
    let refused = |bytes: &[u8]| host.load(bytes).err().expect("it is no plugin");
    assert!(matches!(refused(b"text"), LoadError::Manifest(ManifestError::NotAComponent { .. })));
    assert!(matches!(refused(b"\0asm\x01\0\0\0"), LoadError::Manifest(ManifestError::NotAComponent { .. })));
    assert!(matches!(refused(b"\0asm\x0d\0\x01\0"), LoadError::Manifest(ManifestError::Missing)));
}

#[test]
fn a_manifest_that_says_more_than_the_exports_is_refused() {
    let host = PluginHost::new(Options::default()).expect("a host");
    let gate = forged("\"kinds\":[\"health\",\"target\"]", "\"kinds\":[\"health\",\"gate\"]  ");
    let error = host.load(&gate).err().expect("it exports no gate");
    assert_eq!(error.to_string(), "the plugin says it is a gate, but does not export towpath:plugin/gate@0.3.0");
    let later = forged("\"wit\":\"0.3.0\"", "\"wit\":\"0.9.0\"");
    let error = host.load(&later).err().expect("there is no such interface");
    assert_eq!(error.to_string(), "the plugin was built against towpath:plugin@0.9.0, this host has 0.1, 0.2, 0.3");
}

/// Returns the hostile component with another text of the same length in its manifest.
fn forged(text: &str, other: &str) -> Vec<u8> {
    assert_eq!(text.len(), other.len(), "lengths stand in the file");
    let mut component = hostile().to_vec();
    let at = component.windows(text.len()).rposition(|window| window == text.as_bytes()).expect("the text is there");
    component[at..at + text.len()].copy_from_slice(other.as_bytes());
    component
}
