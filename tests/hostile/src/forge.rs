//! From a core module in text form to a component with its manifest.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use wasm_encoder::{ComponentSection, CustomSection, InstanceSection, ModuleArg, RawSection};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The section that carries the manifest.
const SECTION: &str = "towpath:manifest";

/// The contract that the components are built against.
const CONTRACT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/wit/0.1");

/// Where the answer of a call lies: 40 bytes of zeros are "healthy", without a word.
const ANSWER: u32 = 256;

/// The body of an `assess` that answers well.
pub const HEALTHY: &str = "(i32.const 256)";

/// Where texts are laid down; below are the answer and the schema.
const TEXTS: u32 = 4_096;

/// Bytes of one page of memory.
const PAGE: u32 = 65_536;

/// A health check in the making.
#[derive(Clone, Debug)]
pub struct Forge {
    assess: String,
    imports: String,
    fields: String,
    realloc: String,
    texts: Vec<u8>,
    world: String,
    packages: Vec<String>,
    beside: Vec<String>,
    manifest: Value,
}

impl Forge {
    /// Begins a health check whose `assess` has this body. The body finds the context's address in `$context`, may take memory with
    /// `$take`, and leaves the address of its answer; address 256 holds one that is healthy, which may be written over.
    pub fn new(assess: &str) -> Self {
        Self {
            assess: assess.to_owned(),
            imports: String::new(),
            fields: String::new(),
            realloc: "(call $take (local.get 3))".to_owned(),
            texts: Vec::new(),
            world: "include towpath:plugin/health-plugin@0.1.0;".to_owned(),
            packages: Vec::new(),
            beside: Vec::new(),
            manifest: manifest(),
        }
    }

    /// Begins a target whose `reconcile` has this body; what it observes and previews is the same, and it describes nothing.
    pub fn target(reconcile: &str) -> Self {
        let mut forge = Self::new(HEALTHY);
        forge.world = "include towpath:plugin/health-plugin@0.1.0; include towpath:plugin/target-plugin@0.1.0;".to_owned();
        forge.manifest["kinds"] = json!(["health", "target"]);
        forge.manifest["settings"] = json!({ "health": {}, "target": {} });
        let target = |function: &str, rest: &str| format!("(func (export \"towpath:plugin/target@0.1.0#{function}\") {rest})");
        let fields = [
            target("describe", "(param i32 i32) (result i32) (i32.const 256)"),
            target("observe", &format!("(param $context i32) (result i32) {reconcile}")),
            target("reconcile", &format!("(param $context i32) (result i32) {reconcile}")),
            target("preview", &format!("(param $context i32) (result i32) {reconcile}")),
            target("settings-schema", "(result i32) (unreachable)"),
        ];
        forge.fields(&fields.join(""))
    }

    /// Begins a gate whose `evaluate` has this body. It finds the context's address in `$context`, and at address 256 an answer that passes.
    pub fn gate(evaluate: &str) -> Self {
        let mut forge = Self::new(HEALTHY);
        forge.world = "include towpath:plugin/health-plugin@0.1.0; include towpath:plugin/gate-plugin@0.1.0;".to_owned();
        forge.manifest["kinds"] = json!(["health", "gate"]);
        forge.manifest["settings"] = json!({ "health": {}, "gate": {} });
        let gate = |function: &str, rest: &str| format!("(func (export \"towpath:plugin/gate@0.1.0#{function}\") {rest})");
        let evaluate = gate("evaluate", &format!("(param $context i32) (result i32) {evaluate}"));
        let schema = gate("settings-schema", "(result i32) (unreachable)");
        forge.fields(&(evaluate + &schema))
    }

    /// Adds a core module, in text form, that is instantiated beside the component's own.
    #[must_use]
    pub fn beside(mut self, module: &str) -> Self {
        self.beside.push(module.to_owned());
        self
    }

    /// Imports a function of the contract's powers: its core name and type.
    #[must_use]
    pub fn power(mut self, power: &str, function: &str, signature: &str) -> Self {
        let _ = write!(self.imports, "(import \"towpath:plugin/{power}@0.1.0\" \"{function}\" {signature})");
        self
    }

    /// Imports something that the contract does not have: interface, package text, core imports.
    #[must_use]
    pub fn import(mut self, interface: &str, package: &str, imports: &str) -> Self {
        let _ = write!(self.world, "import {interface};");
        self.packages.push(package.to_owned());
        self.imports.push_str(imports);
        self
    }

    /// Adds another package that an import needs.
    #[must_use]
    pub fn package(mut self, package: &str) -> Self {
        self.packages.push(package.to_owned());
        self
    }

    /// Adds fields of the core module: functions, globals, tables, a start.
    #[must_use]
    pub fn fields(mut self, fields: &str) -> Self {
        self.fields.push_str(fields);
        self
    }

    /// Replaces what the host is given when it needs room in the guest; parameter 3 is the size.
    #[must_use]
    pub fn realloc(mut self, body: &str) -> Self {
        self.realloc = body.to_owned();
        self
    }

    /// Lays a text down and returns its address and length as two constants.
    pub fn text(&mut self, text: impl AsRef<[u8]>) -> String {
        let at = TEXTS as usize + self.texts.len();
        self.texts.extend_from_slice(text.as_ref());
        format!("(i32.const {at}) (i32.const {})", text.as_ref().len())
    }

    /// Replaces the body of `assess`: it may need the texts' addresses.
    #[must_use]
    pub fn assess(mut self, body: &str) -> Self {
        self.assess = body.to_owned();
        self
    }

    /// Returns a health check that sends a request and answers with what came of it: the body as the sentence, or verdict `error` with
    /// the host's words as the sentence and the number of the error as the next look.
    pub fn fetch(method: impl AsRef<[u8]>, url: impl AsRef<[u8]>, headers: &[(&[u8], &[u8])]) -> Self {
        let mut forge = Self::new("");
        let (method, url) = (forge.text(method), forge.text(url));
        let mut list = String::new();
        for (number, (name, value)) in headers.iter().enumerate() {
            let at = 1_024 + 16 * number;
            for (offset, text) in [(0, name), (8, value)] {
                let start = TEXTS as usize + forge.texts.len();
                forge.texts.extend_from_slice(text);
                let _ = write!(list, "(i32.store (i32.const {}) (i32.const {start}))", at + offset);
                let _ = write!(list, "(i32.store (i32.const {}) (i32.const {}))", at + offset + 4, text.len());
            }
        }
        let count = headers.len();
        let body = format!(
            "{list}
             (call $fetch {method} {url} (i32.const 1024) (i32.const {count}) (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 512))
             (if (i32.load8_u (i32.const 512))
               (then
                 (i32.store8 (i32.const 256) (i32.const 3))
                 (i32.store8 (i32.const 288) (i32.const 1))
                 (i32.store (i32.const 292) (i32.load8_u (i32.const 520)))
                 (if (i32.and (i32.ne (i32.load8_u (i32.const 520)) (i32.const 3)) (i32.ne (i32.load8_u (i32.const 520)) (i32.const 4)))
                   (then (i64.store align=4 (i32.const 268) (i64.load (i32.const 528))))))
               (else (i64.store align=4 (i32.const 268) (i64.load align=4 (i32.const 532)))))
             (i32.const {ANSWER})"
        );
        let signature = "(func $fetch (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32))";
        forge.assess(&body).power("http", "fetch", signature)
    }

    /// Returns a component whose health interface has this shape instead of the contract's.
    #[must_use]
    pub fn in_contract(mut self, package: &str) -> Self {
        self.world = "export towpath:plugin/health@0.1.0;".to_owned();
        self.packages = vec![package.to_owned()];
        self
    }

    /// Returns the component.
    ///
    /// # Panics
    ///
    /// When text or interface are not well-formed: the test that wrote them is wrong.
    pub fn component(&self) -> Vec<u8> {
        let mut component = self.bare();
        let parts = wasmparser::Parser::new(0).parse_all(&component);
        let modules = parts.filter(|part| matches!(part, Ok(wasmparser::Payload::ModuleSection { .. }))).count();
        for (number, module) in self.beside.iter().enumerate() {
            let module = wat::parse_str(module).expect("a module");
            RawSection { id: 1, data: &module }.append_to_component(&mut component);
            let mut instances = InstanceSection::new();
            let none: [(&str, ModuleArg); 0] = [];
            instances.instantiate(u32::try_from(modules + number).expect("few"), none);
            instances.append_to_component(&mut component);
        }
        with_manifest(&component, &self.manifest)
    }

    /// Returns the component without a manifest.
    ///
    /// # Panics
    ///
    /// As [`Self::component`].
    pub fn bare(&self) -> Vec<u8> {
        let mut resolve = Resolve::default();
        if self.world.contains("include") {
            resolve.push_dir(Path::new(CONTRACT)).expect("the contract");
        }
        for package in &self.packages {
            resolve.push_str("strange.wit", package).expect("a package");
        }
        let world = format!("package test:hostile; world hostile {{ {} }}", self.world);
        let package = resolve.push_str("hostile.wit", &world).expect("a world");
        let world = resolve.select_world(&[package], Some("hostile")).expect("the world");
        let mut module = wat::parse_str(self.module()).expect("a module");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
        let mut encoder = ComponentEncoder::default();
        encoder.validate(true).module(&module).and_then(|encoder| encoder.encode()).expect("a component")
    }

    fn module(&self) -> String {
        let Self { assess, imports, fields, realloc, .. } = self;
        let heap = (TEXTS + u32::try_from(self.texts.len()).expect("small")).next_multiple_of(PAGE);
        let mut texts = String::new();
        for byte in &self.texts {
            let _ = write!(texts, "\\{byte:02x}");
        }
        format!(
            r#"(module
              {imports}
              (memory (export "memory") {pages})
              (global $next (mut i32) (i32.const {heap}))
              (data (i32.const 16) "{{}}")
              (data (i32.const {TEXTS}) "{texts}")
              (func $take (param $bytes i32) (result i32) (local $at i32)
                (local.set $at (global.get $next))
                (global.set $next (i32.and (i32.add (i32.add (local.get $at) (local.get $bytes)) (i32.const 7)) (i32.const -8)))
                (loop $grow
                  (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const {PAGE})))
                    (then (drop (memory.grow (i32.const 1))) (br $grow))))
                (local.get $at))
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
              (func (export "towpath:plugin/health@0.1.0#assess") (param $context i32) (result i32) {assess})
              (func (export "towpath:plugin/health@0.1.0#settings-schema") (result i32)
                (i32.store (i32.const 8) (i32.const 16)) (i32.store (i32.const 12) (i32.const 2)) (i32.const 8))
              {fields})"#,
            pages = heap / PAGE + 1,
        )
    }
}

/// Returns a manifest that is well: a health check that asks for every power of the contract.
pub fn manifest() -> Value {
    let powers = ["log", "measure", "clock", "http", "runtime"].map(|power| (power.to_owned(), json!("to misuse it")));
    json!({
        "name": "stranger",
        "version": "0.1.0",
        "description": "a component that nobody should trust",
        "wit": "0.1.0",
        "kinds": ["health"],
        "settings": { "health": {} },
        "powers": Value::Object(powers.into_iter().collect()),
    })
}

/// Returns the component with a manifest, whatever it says, behind it.
pub fn with_manifest(component: &[u8], manifest: &Value) -> Vec<u8> {
    with_section(component, manifest.to_string().as_bytes())
}

/// Returns the component with these bytes as a manifest.
pub fn with_section(component: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut component = component.to_vec();
    CustomSection { name: SECTION.into(), data: bytes.into() }.append_to_component(&mut component);
    component
}
