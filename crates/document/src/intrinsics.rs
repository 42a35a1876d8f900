//! One method of [`Arena`](crate::Arena) for each intrinsic that works on values, in the groups of
//! [`lockgate_model::abi`]; the table there says what each is for.
//!
//! They follow JSONata 2.2 and the reference implementation where the two leave a choice; `jq` follows
//! jq. What is not theirs: the fixed cost of a call, which the engine charges; frames, suspending, raising.
//! A method that is given the wrong kind of handle by the module (an accumulator that is no array)
//! fails with [`Fault::WrongKind`](crate::Fault::WrongKind).

mod aggregate;
mod arrange;
mod build;
mod functions;
mod hold;
mod inspect;
mod jq;
mod list;
mod made;
mod navigate;
mod numbers;
mod order;
mod patterns;
mod pure;
mod sequences;
mod strings;
mod to_text;
mod transform;

#[cfg(test)]
mod tests;
