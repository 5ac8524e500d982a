//! A store that answers a question only when khufu's call is made again, as an application's own store may do.

use std::any::Any;
use std::cell::RefCell;

use crate::Error;
use crate::store::StoreError;

type Answer = Box<dyn Any>;

/// The questions of one call and their answers.
#[derive(Default)]
struct Dialog {
    answers: Vec<(String, Answer)>,
    /// The number of answers that the current attempt has gone through.
    used: usize,
    pending: Option<(String, Box<dyn FnOnce() -> Answer>)>,
}

thread_local! {
    static DIALOG: RefCell<Option<Dialog>> = const { RefCell::new(None) };
}

/// Makes a call of khufu, and makes it again until the store has answered each of its questions.
pub(super) fn answered<T>(mut call: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    DIALOG.set(Some(Dialog::default()));
    loop {
        match call() {
            Err(Error::Pending) => answer_pending(),
            outcome => {
                DIALOG.set(None);
                return outcome;
            }
        }
    }
}

fn answer_pending() {
    let pending = DIALOG.with_borrow_mut(|dialog| dialog.as_mut().and_then(|dialog| dialog.pending.take()));
    let (question, ask) = pending.expect("a call is pending because of a question");
    let answer = ask();
    DIALOG.with_borrow_mut(|dialog| {
        let dialog = dialog.as_mut().expect("the dialog is not over");
        dialog.answers.push((question, answer));
        dialog.used = 0;
    });
}

/// Returns the answer to a question of a call, or [`StoreError::Pending`] if the store was not asked yet. Outside of
/// [`answered`], asks at once.
pub(super) fn ask<T: Clone + 'static>(
    question: String,
    work: impl FnOnce() -> Result<T, StoreError> + 'static,
) -> Result<T, StoreError> {
    DIALOG.with_borrow_mut(|dialog| {
        let Some(dialog) = dialog else { return work() };
        while let Some((known, answer)) = dialog.answers.get(dialog.used) {
            dialog.used += 1;
            if *known == question {
                return answer.downcast_ref::<Result<T, StoreError>>().expect("the types agree").clone();
            }
        }
        dialog.pending = Some((question, Box::new(|| Box::new(work()))));
        Err(StoreError::Pending)
    })
}
