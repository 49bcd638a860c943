//! The bugs that a simulation must find, by name.

#[cfg(feature = "planted-bugs")]
use longshore_store::planted::{Bug, plant};

/// The names of the bugs that can be planted; none without the feature `planted-bugs`.
pub fn names() -> Vec<&'static str> {
    #[cfg(feature = "planted-bugs")]
    return Bug::ALL.iter().map(|(_, name)| *name).collect();
    #[cfg(not(feature = "planted-bugs"))]
    Vec::new()
}

/// Plants a bug in this process until another is planted, or none.
///
/// # Errors
/// There is no such bug, or the feature `planted-bugs` is off.
pub fn plant_named(name: Option<&str>) -> Result<(), String> {
    let known = names();
    match name {
        Some(name) if !known.contains(&name) => Err(format!("there is no bug {name}; there are: {}", known.join(", "))),
        _ => {
            #[cfg(feature = "planted-bugs")]
            plant(Bug::ALL.iter().find(|(_, known)| Some(*known) == name).map(|(bug, _)| *bug));
            Ok(())
        }
    }
}
