//! A schedule decides which request takes the next step on the store, and whether the answer to the step is lost.
//!
//! A step is one call of the store. Each request runs on its own thread, but only one thread runs at a time: a request
//! waits before each step until the schedule lets it continue. A list of choices therefore determines everything that
//! happens.

use std::cell::RefCell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::store::StoreError;

/// The effect of a step on the store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Reads,
    Writes,
    /// The step writes a record that no request has opened before.
    Inserts,
}

/// When the store executes a step whose answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Execution {
    AtOnce,
    /// The step never reaches the store.
    Never,
    /// The step reaches the store after other steps.
    Later,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub execution: Execution,
    /// The request tries again. Otherwise it gives up, as if its process had died.
    pub retries: bool,
}

/// The times of the first and the last step of an operation, and the loss of an answer among its steps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub first: Option<u64>,
    pub last: u64,
    pub loss: Option<Loss>,
    /// The schedule decides after a loss whether the request tries again.
    pub may_retry: bool,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// The request that a thread runs.
struct Current {
    schedule: Arc<Schedule>,
    number: usize,
    span: Span,
}

/// Calls `work` with the request of this thread, if there is one.
fn with_current<T>(work: impl FnOnce(&mut Current) -> T) -> Option<T> {
    CURRENT.with_borrow_mut(|current| current.as_mut().map(work))
}

/// Waits for this request's turn and then takes one step on the store. A thread without a request does not wait.
pub(crate) fn step<T: Debug>(
    name: &'static str,
    effect: Effect,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let current = with_current(|current| (current.schedule.clone(), current.number, current.span.may_retry));
    let Some((schedule, number, may_retry)) = current else { return work() };
    let (clock, loss) = schedule.turn(number, Waiting { name, effect, may_retry });
    with_current(|current| {
        current.span.first.get_or_insert(clock);
        current.span.last = clock;
        current.span.loss = loss.or(current.span.loss);
    });
    let Some(Loss { execution, .. }) = loss else {
        let outcome = work();
        schedule.note(|| format!("    {}: {outcome:?}", name));
        return outcome;
    };
    match execution {
        Execution::AtOnce => {
            let outcome = work();
            schedule.note(|| format!("    {name}: {outcome:?}, and the answer is lost"));
        }
        Execution::Never => {}
        Execution::Later => schedule.state.lock().late.push((name, Box::new(move || drop(work())))),
    }
    Err(StoreError::Failed("the answer was lost".to_owned()))
}

/// Begins an operation of this thread's request. [`end`] returns its steps.
pub(crate) fn begin(may_retry: bool) {
    with_current(|current| current.span = Span { may_retry, ..Span::default() });
}

/// The steps since [`begin`]. An operation without a step begins and ends now.
pub(crate) fn end() -> Span {
    let mut span = with_current(|current| (current.span, current.schedule.state.lock().clock));
    span.as_mut().map_or_else(Span::default, |(span, clock)| {
        if span.first.is_none() {
            (span.first, span.last) = (Some(*clock), *clock);
        }
        *span
    })
}

/// Chooses what comes next.
pub(crate) enum Chooser {
    /// Goes through all lists of choices. Each choice is stored together with the number of possible choices.
    All { taken: Vec<(usize, usize)>, at: usize },
    /// Chooses at random. One choice in eight is a loss, if possible.
    Random { state: u64, taken: Vec<usize> },
    /// Repeats earlier choices.
    Again { choices: Vec<usize>, at: usize },
}

impl Chooser {
    pub fn all() -> Self {
        Self::All { taken: Vec::new(), at: 0 }
    }

    pub fn random(seed: u64) -> Self {
        Self::Random { state: seed, taken: Vec::new() }
    }

    /// Goes on to the next list of choices. Returns false if there is none.
    pub fn advance(&mut self) -> bool {
        let Self::All { taken, at } = self else { return false };
        *at = 0;
        while let Some((chosen, of)) = taken.pop() {
            if chosen + 1 < of {
                taken.push((chosen + 1, of));
                return true;
            }
        }
        false
    }

    pub fn taken(&self) -> Vec<usize> {
        match self {
            Self::All { taken, .. } => taken.iter().map(|(chosen, _)| *chosen).collect(),
            Self::Random { taken, .. } => taken.clone(),
            Self::Again { choices, .. } => choices.clone(),
        }
    }

    /// Makes one of `of` choices, of which the first `without_loss` lose no answer. There may be fewer choices than in
    /// an earlier schedule, because sessions are listed in the order of their random keys.
    fn choose(&mut self, of: usize, without_loss: usize) -> usize {
        match self {
            Self::All { taken, at } => {
                *at += 1;
                if taken.len() < *at {
                    taken.push((0, of));
                }
                taken[*at - 1].0.min(of - 1)
            }
            Self::Random { state, taken } => {
                let loses = without_loss == 0 || (of > without_loss && random(state).is_multiple_of(8));
                let among = if loses { without_loss..of } else { 0..without_loss };
                let chosen = among.start + random(state) as usize % among.len();
                taken.push(chosen);
                chosen
            }
            Self::Again { choices, at } => {
                *at += 1;
                choices.get(*at - 1).copied().unwrap_or_default().min(of - 1)
            }
        }
    }
}

/// The next random number (SplitMix64).
pub(crate) fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[derive(Clone, Copy)]
struct Waiting {
    name: &'static str,
    effect: Effect,
    may_retry: bool,
}

/// A possible next event.
#[derive(Clone, Copy)]
enum Next {
    Step(usize, Option<Loss>),
    /// A late step, whose answer was lost, reaches the store.
    LateStep(usize),
}

type Late = (&'static str, Box<dyn FnOnce() + Send>);

struct State {
    chooser: Chooser,
    /// How many more answers may be lost.
    losses: usize,
    /// Only the first `losing` requests may lose answers.
    losing: usize,
    running: usize,
    waiting: Vec<Option<Waiting>>,
    granted: Vec<Option<(u64, Option<Loss>)>>,
    late: Vec<Late>,
    clock: u64,
    /// The request that took the last step, if that step only read.
    last_read: Option<usize>,
    lost_inserts: Vec<Loss>,
    trace: Option<Vec<String>>,
    faults: Vec<String>,
    is_over: bool,
}

pub(crate) struct Schedule {
    state: Mutex<State>,
    turns: Vec<Condvar>,
    over: Condvar,
}

/// The results of a schedule.
pub(crate) struct Ended {
    pub chooser: Chooser,
    pub clock: u64,
    /// The losses of answers to inserts.
    pub lost_inserts: Vec<Loss>,
    /// A description of all steps, if they were traced.
    pub trace: Vec<String>,
    /// The panics of requests.
    pub faults: Vec<String>,
}

impl Schedule {
    fn turn(&self, number: usize, waiting: Waiting) -> (u64, Option<Loss>) {
        let mut state = self.state.lock();
        state.waiting[number] = Some(waiting);
        self.pause(&mut state);
        loop {
            if let Some(granted) = state.granted[number].take() {
                return granted;
            }
            self.turns[number].wait(&mut state);
        }
    }

    fn note(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.state.lock().trace {
            trace.push(line());
        }
    }

    /// Counts this request as waiting or ended. If no request is running then, decides which one continues.
    fn pause(&self, state: &mut MutexGuard<'_, State>) {
        state.running -= 1;
        while state.running == 0 && !state.is_over {
            let (next, without_loss) = state.next();
            let chosen = match next.len() {
                0 => {
                    state.is_over = true;
                    self.over.notify_one();
                    return;
                }
                1 => 0,
                of => state.chooser.choose(of, without_loss),
            };
            state.clock += 1;
            match next[chosen] {
                Next::Step(number, loss) => {
                    let waiting = state.waiting[number].take();
                    let reads = waiting.is_some_and(|waiting| waiting.effect == Effect::Reads);
                    state.last_read = Some(number).filter(|_| reads && loss.is_none());
                    state.losses -= usize::from(loss.is_some());
                    let inserts = waiting.is_some_and(|waiting| waiting.effect == Effect::Inserts);
                    state.lost_inserts.extend(loss.filter(|_| inserts));
                    state.running = 1;
                    state.granted[number] = Some((state.clock, loss));
                    let (name, clock) = (waiting.map_or("", |waiting| waiting.name), state.clock);
                    if let Some(trace) = &mut state.trace {
                        let loss = loss.map(|loss| format!(", loses its answer: {loss:?}")).unwrap_or_default();
                        trace.push(format!("{clock}. request {number} takes the step {name}{loss}"));
                    }
                    self.turns[number].notify_one();
                }
                Next::LateStep(index) => {
                    let (name, work) = state.late.remove(index);
                    state.last_read = None;
                    // The store's callbacks must not take this for a step of this thread's request.
                    let current = CURRENT.take();
                    work();
                    CURRENT.set(current);
                    let clock = state.clock;
                    if let Some(trace) = &mut state.trace {
                        trace.push(format!("{clock}. the late {name} reaches the store"));
                    }
                }
            }
        }
    }
}

impl State {
    /// The possible next events, and how many of them lose no answer. Those come first.
    fn next(&self) -> (Vec<Next>, usize) {
        let waiting = || self.waiting.iter().enumerate().filter_map(|(number, waiting)| Some((number, (*waiting)?)));
        // Two successive reads do not affect each other, so one order of them is enough.
        let is_other_order = |number: usize, waiting: Waiting| {
            waiting.effect == Effect::Reads && self.last_read.is_some_and(|last| number < last)
        };
        let steps = waiting().filter(|(number, waiting)| !is_other_order(*number, *waiting));
        let mut next: Vec<Next> = steps.map(|(number, _)| Next::Step(number, None)).collect();
        next.extend((0..self.late.len()).map(Next::LateStep));
        if next.is_empty() {
            next.extend(waiting().map(|(number, _)| Next::Step(number, None)));
        }
        let without_loss = next.len();
        if self.losses > 0 {
            for (number, Waiting { effect, may_retry, .. }) in waiting().filter(|(number, _)| *number < self.losing) {
                let executions: &[Execution] = match effect {
                    Effect::Reads => &[Execution::Never],
                    Effect::Writes | Effect::Inserts => &[Execution::AtOnce, Execution::Never, Execution::Later],
                };
                for execution in executions {
                    for retries in [true, false].into_iter().filter(|retries| may_retry || *retries) {
                        next.push(Next::Step(number, Some(Loss { execution: *execution, retries })));
                    }
                }
            }
        }
        (next, without_loss)
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// The threads on which requests run.
pub(crate) struct Team(Vec<Sender<Job>>);

impl Team {
    pub fn new(size: usize) -> Self {
        let worker = |_| {
            let (sender, jobs) = channel::<Job>();
            thread::spawn(move || jobs.into_iter().for_each(|job| job()));
            sender
        };
        Self((0..size).map(worker).collect())
    }

    /// Runs requests, each on its own thread, in the order that a chooser decides. The first `losing` requests may lose
    /// `losses` answers in total.
    pub fn run(&self, chooser: Chooser, (losses, losing): (usize, usize), traces: bool, requests: Vec<Job>) -> Ended {
        let count = requests.len();
        let schedule = Arc::new(Schedule {
            state: Mutex::new(State {
                chooser,
                losses,
                losing,
                running: count,
                waiting: vec![None; count],
                granted: vec![None; count],
                late: Vec::new(),
                clock: 0,
                last_read: None,
                lost_inserts: Vec::new(),
                trace: traces.then(Vec::new),
                faults: Vec::new(),
                is_over: false,
            }),
            turns: (0..count).map(|_| Condvar::new()).collect(),
            over: Condvar::new(),
        });
        for (number, request) in requests.into_iter().enumerate() {
            let schedule = schedule.clone();
            let job: Job = Box::new(move || {
                CURRENT.set(Some(Current { schedule: schedule.clone(), number, span: Span::default() }));
                let outcome = catch_unwind(AssertUnwindSafe(request));
                CURRENT.set(None);
                let mut state = schedule.state.lock();
                if outcome.is_err() {
                    state.faults.push(format!("request {number} panicked"));
                }
                schedule.pause(&mut state);
            });
            self.0[number].send(job).expect("the thread waits for work");
        }
        let mut state = schedule.state.lock();
        while !state.is_over {
            schedule.over.wait(&mut state);
        }
        Ended {
            chooser: std::mem::replace(&mut state.chooser, Chooser::all()),
            clock: state.clock,
            lost_inserts: std::mem::take(&mut state.lost_inserts),
            trace: state.trace.take().unwrap_or_default(),
            faults: std::mem::take(&mut state.faults),
        }
    }
}
