//! Asks a fresh module for its settings schema.
//!
//! The schema is computed by the plugin's own code, so somebody has to run it: once, here, in an interpreter whose imports all trap.

use serde_json::Value;
use wasmi::{Caller, Config, Engine, Extern, ExternType, Func, Linker, Module, Store, Val};

use crate::BuildError;
use crate::component::Export;

/// What computing a schema may cost; a large one takes a few million steps.
const FUEL: u64 = 1_000_000_000;

/// A schema larger than this is a mistake.
const SCHEMA_BYTES_MAX: usize = 1 << 20;

/// Returns the kind and the JSON Schema of its settings.
pub(crate) fn settings(module: &[u8], export: &Export) -> Result<(String, Value), BuildError> {
    let failed = |why: String| BuildError::Schema { kind: export.kind.clone(), why };
    let text = run(module, &export.schema).map_err(failed)?;
    let schema = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    Ok((export.kind.clone(), schema))
}

fn run(module: &[u8], function: &str) -> Result<String, String> {
    let mut config = Config::default();
    config.consume_fuel(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, module).map_err(|error| error.to_string())?;
    let mut store = Store::new(&engine, ());
    store.set_fuel(FUEL).map_err(|error| error.to_string())?;
    let linker = trapping(&engine, &mut store, &module)?;
    let instance = linker.instantiate_and_start(&mut store, &module).map_err(|error| error.to_string())?;
    let schema = instance.get_typed_func::<(), i32>(&store, function).map_err(|error| error.to_string())?;
    let returned = schema.call(&mut store, ()).map_err(|error| error.to_string())?;
    let memory = instance.get_memory(&store, "memory").ok_or("the module exports no memory")?;
    text(memory.data(&store), returned).ok_or_else(|| format!("the answer at {returned} is not a text"))
}

/// Links every import to a function that traps: a schema depends on nothing.
fn trapping(engine: &Engine, store: &mut Store<()>, module: &Module) -> Result<Linker<()>, String> {
    let mut linker = Linker::new(engine);
    for import in module.imports() {
        let ExternType::Func(signature) = import.ty() else {
            return Err(format!("import {}.{} is not a function", import.module(), import.name()));
        };
        let name = format!("{}.{}", import.module(), import.name());
        let trap = move |_: Caller<'_, ()>, _: &[Val], _: &mut [Val]| -> Result<(), wasmi::Error> {
            Err(wasmi::Error::new(format!("it called {name}; a schema must not use a power")))
        };
        let function = Func::new(&mut *store, signature.clone(), trap);
        linker.define(import.module(), import.name(), Extern::Func(function)).map_err(|error| error.to_string())?;
    }
    Ok(linker)
}

/// Reads a string as the canonical ABI returns it: the address of its address and length.
fn text(memory: &[u8], returned: i32) -> Option<String> {
    let word = |at: usize| Some(u32::from_le_bytes(memory.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize);
    let at = usize::try_from(returned).ok()?;
    let (address, length) = (word(at)?, word(at.checked_add(4)?)?);
    let bytes = memory.get(address..address.checked_add(length)?).filter(|bytes| bytes.len() <= SCHEMA_BYTES_MAX)?;
    String::from_utf8(bytes.to_vec()).ok()
}
