//! The tower layer and the axum extractor: when a session is opened and committed, and what is sent then.

#[path = "common/redis_server.rs"]
mod redis_server;

use std::convert::Infallible;
use std::future::{Future, pending, ready};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE, VARY};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::{Next, from_extractor, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Extension, Router};
use khufu::tower::{Csrf, Error, Session, SessionLayer};
use khufu::{Custom, Factory, LoadResult, NewRecord, Options, Outcome, Saved, Store, StoreError};
use redis_server::RedisServer;
use tower_layer::Layer;
use tower_service::Service;

fn options() -> Options {
    Options::new().secret("itsaseekreet")
}

fn in_cookie() -> Factory {
    Factory::new(&options()).unwrap()
}

fn in_memory() -> Factory {
    Factory::new(&options().store("memory:")).unwrap()
}

/// An application with one handler, at every path.
fn app<T: 'static>(factory: &Factory, handler: impl Handler<T, ()>) -> Router {
    Router::new().fallback(handler).layer(SessionLayer::new(factory.clone()))
}

/// An application whose error hook answers with the error's text, so that tests see it.
fn app_with_hook<T: 'static>(factory: &Factory, handler: impl Handler<T, ()>) -> Router {
    let layer = SessionLayer::new(factory.clone())
        .on_error(|error| (error.status(), [("x-hook", "yes")], error.to_string()).into_response());
    Router::new().fallback(handler).layer(layer)
}

fn request(cookie: &str) -> Request {
    Request::builder().header(COOKIE, cookie).body(Body::empty()).unwrap()
}

async fn send(app: &Router, request: Request) -> Response {
    app.clone().call(request).await.unwrap()
}

async fn get_from(app: &Router, cookie: &str) -> Response {
    send(app, request(cookie)).await
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

fn values(response: &Response, name: HeaderName) -> Vec<&str> {
    response.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

/// The values of the headers that a session needs: `Set-Cookie`, `Vary` and `Cache-Control`.
fn session_headers(response: &Response) -> [Vec<&str>; 3] {
    [SET_COOKIE, VARY, CACHE_CONTROL].map(|name| values(response, name))
}

/// The `Cookie` header that a browser sends after a response.
fn cookie_of(response: &Response) -> String {
    values(response, SET_COOKIE)[0].split(';').next().unwrap().to_owned()
}

/// The `Cookie` header of a session that has the user zoë.
fn logged_in(factory: &Factory) -> String {
    let mut session = factory.open(b"").unwrap();
    session.set("user", "zoë").unwrap();
    session.commit(Outcome::Response).unwrap()[0].split(';').next().unwrap().to_owned()
}

fn is_live(factory: &Factory, cookie: &str) -> bool {
    factory.open(cookie.as_bytes()).unwrap().load_result() == LoadResult::Loaded
}

fn visits_in(factory: &Factory, cookie: &str) -> Option<u32> {
    factory.open(cookie.as_bytes()).unwrap().get("visits").unwrap()
}

async fn visit(session: Session) -> Result<String, Error> {
    Ok(session.lock()?.increment("visits", 1)?.to_string())
}

async fn greet(session: Session) -> Result<String, Error> {
    Ok(session.lock()?.get("user")?.unwrap_or_default())
}

/// A store without records. Loading waits until a permit is sent, if the store has a receiver for permits.
#[derive(Default)]
struct EmptyStore {
    loads: Arc<AtomicUsize>,
    permits: Option<Mutex<Receiver<()>>>,
}

impl Store for EmptyStore {
    fn load(&self, _: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        if let Some(permits) = &self.permits {
            let wait = permits.lock().unwrap().recv_timeout(Duration::from_secs(10));
            wait.map_err(|_| StoreError::Failed("nobody sent a permit".to_owned()))?;
        }
        Ok(None)
    }

    fn save(&self, _: &str, _: u64, _: &NewRecord<'_>) -> Result<Saved, StoreError> {
        Ok(Saved::Yes)
    }

    fn touch(&self, _: &str, _: &NewRecord<'_>) -> Result<Saved, StoreError> {
        Ok(Saved::Gone)
    }

    fn remove(&self, _: &str, _: u64) -> Result<Saved, StoreError> {
        Ok(Saved::Gone)
    }
}

/// A factory with an empty store, and a cookie that makes it load a record.
fn in_empty_store(store: EmptyStore) -> (Factory, String) {
    let factory = Factory::with_custom(&options(), Custom::new().store(store)).unwrap();
    let cookie = logged_in(&factory);
    (factory, cookie)
}

#[tokio::test]
async fn a_request_that_does_not_open_its_session_costs_no_load_and_no_header() {
    let store = EmptyStore::default();
    let loads = Arc::clone(&store.loads);
    let (factory, cookie) = in_empty_store(store);
    let response = get_from(&app(&factory, || async { "hello" }), &cookie).await;
    assert_eq!(session_headers(&response), [[""; 0]; 3]);
    assert_eq!((loads.load(Ordering::SeqCst), text(response).await), (0, "hello".to_owned()));

    let response = get_from(&app(&factory, |_: Session, _: Session| async {}), &cookie).await;
    assert_eq!(session_headers(&response), [[""; 0]; 3], "the session was opened, but not used");
    assert_eq!(loads.load(Ordering::SeqCst), 1, "it is opened once");
}

#[tokio::test]
async fn a_session_is_committed_before_the_head_is_sent() {
    for factory in [in_cookie(), in_memory()] {
        let app = app(&factory, visit);
        let first = get_from(&app, "").await;
        let [set_cookies, vary, cache_control] = session_headers(&first);
        assert!(set_cookies.len() == 1 && set_cookies[0].starts_with("session="));
        assert_eq!((vary, cache_control), (vec!["Cookie"], vec!["private"]));
        let second = get_from(&app, &cookie_of(&first)).await;
        assert_eq!([text(first).await, text(second).await], ["1", "2"]);
    }
}

#[tokio::test]
async fn a_session_that_is_only_read_gets_no_cookie() {
    let factory = in_memory();
    let app = app(&factory, greet);
    let cookie = logged_in(&factory);
    let response = get_from(&app, &cookie).await;
    assert_eq!(session_headers(&response), [vec![], vec!["Cookie"], vec!["private"]]);
    assert_eq!(text(response).await, "zoë");
}

#[tokio::test]
async fn the_cookies_of_several_headers_are_one_list() {
    let factory = in_cookie();
    let app = app(&factory, greet);
    let request = Request::builder().header(COOKIE, "theme=dark").header(COOKIE, logged_in(&factory));
    let response = send(&app, request.header(COOKIE, "a=b").body(Body::empty()).unwrap()).await;
    assert_eq!(text(response).await, "zoë");
}

#[tokio::test]
async fn middleware_extractors_and_the_handler_share_one_session() {
    async fn count(session: Session, request: Request, next: Next) -> Result<Response, Error> {
        session.lock()?.increment("visits", 10)?;
        let response = next.run(request).await;
        session.lock()?.increment("visits", 100)?;
        Ok(response)
    }
    let factory = in_memory();
    let app = Router::new()
        .fallback(|one: Session, other: Session| async move {
            one.lock()?.increment("visits", 1)?;
            Ok::<_, Error>(other.lock()?.get::<u32>("visits")?.unwrap().to_string())
        })
        .layer(from_fn(count))
        .layer(SessionLayer::new(factory.clone()));
    let response = get_from(&app, "").await;
    assert_eq!(visits_in(&factory, &cookie_of(&response)), Some(111));
    assert_eq!(text(response).await, "11");
}

#[tokio::test]
async fn tasks_of_one_request_that_open_its_session_at_once_share_it() {
    let (permit, permits) = channel();
    let (factory, cookie) = in_empty_store(EmptyStore { permits: Some(permits.into()), ..EmptyStore::default() });
    let app = app(&factory, move |request: Request| {
        let permit: Sender<()> = permit.clone();
        async move {
            let (parts, _) = request.into_parts();
            let open = || Session::open(&parts.headers, &parts.extensions);
            let permits = async { (0..2).for_each(|_| permit.send(()).unwrap()) };
            let (one, other, ()) = tokio::join!(open(), open(), permits);
            one?.lock()?.set("visits", &7)?;
            Ok::<_, Error>(other?.lock()?.get::<u32>("visits")?.unwrap().to_string())
        }
    });
    assert_eq!(text(get_from(&app, &cookie).await).await, "7");
}

#[tokio::test]
async fn a_response_of_any_status_is_committed() {
    for status in [StatusCode::SEE_OTHER, StatusCode::NOT_FOUND, StatusCode::INTERNAL_SERVER_ERROR] {
        for (set_on_exception, saves) in [("true", true), ("false", !status.is_server_error())] {
            let factory = Factory::new(&options().with("set_on_exception", set_on_exception)).unwrap();
            let app = app(&factory, move |session: Session| async move {
                session.lock().unwrap().set("user", "zoë").unwrap();
                (status, "the page")
            });
            let response = get_from(&app, "").await;
            assert_eq!((response.status(), values(&response, SET_COOKIE).len()), (status, usize::from(saves)));
            assert_eq!(text(response).await, "the page");
        }
    }
}

#[tokio::test]
async fn nothing_of_the_handlers_response_is_sent_if_the_commit_fails() {
    async fn too_large(session: Session) -> impl IntoResponse {
        session.lock().unwrap().set("notes", &"x".repeat(5000)).unwrap();
        ([("x-secret", "1")], "the page")
    }
    let response = get_from(&app(&in_cookie(), too_large), "").await;
    assert_eq!((response.status(), response.headers().get("x-secret")), (StatusCode::INTERNAL_SERVER_ERROR, None));
    assert_eq!(session_headers(&response), [vec![], vec!["Cookie"], vec!["private"]]);
    assert_eq!(text(response).await, "");

    let response = get_from(&app_with_hook(&in_cookie(), too_large), "").await;
    assert_eq!(response.headers()["x-hook"], "yes");
    assert!(text(response).await.starts_with("the cookie's value would have "));
}

#[tokio::test]
async fn a_store_that_is_down_is_503_without_the_reason() {
    let server = RedisServer::start();
    let factory = Factory::new(&options().store(&server.url()).with("store_timeout", "1")).unwrap();
    let cookie = logged_in(&factory);
    let app = app(&factory, visit);
    assert_eq!(text(get_from(&app, &cookie).await).await, "1");
    drop(server);
    let at_opening = get_from(&app, &cookie).await;
    let at_commit = get_from(&app, "").await; // a request without a cookie loads nothing
    for response in [at_opening, at_commit] {
        assert_eq!((response.status(), values(&response, SET_COOKIE)), (StatusCode::SERVICE_UNAVAILABLE, vec![]));
        assert_eq!(text(response).await, "");
    }
}

#[tokio::test]
async fn a_logout_clears_the_cookie_even_if_the_store_is_down() {
    let server = RedisServer::start();
    let factory = Factory::new(&options().store(&server.url()).with("store_timeout", "1")).unwrap();
    let cookie = logged_in(&factory);
    let server = Arc::new(Mutex::new(Some(server)));
    let app = app_with_hook(&factory, move |session: Session| async move {
        server.lock().unwrap().take();
        session.lock().unwrap().invalidate();
    });
    let response = get_from(&app, &cookie).await;
    let [set_cookies, _, cache_control] = session_headers(&response);
    assert!(set_cookies[0].starts_with("session=; Max-Age=0"), "{set_cookies:?}");
    assert_eq!((response.status(), cache_control), (StatusCode::SERVICE_UNAVAILABLE, vec!["no-store"]));
    assert!(text(response).await.starts_with("the session store failed"));
}

#[tokio::test]
async fn a_session_that_another_request_ended_is_gone() {
    let factory = in_memory();
    let cookie = logged_in(&factory);
    let logout = app(&factory, |session: Session| async move { session.lock().unwrap().invalidate() });
    let app = app_with_hook(&factory, move |session: Session, headers: HeaderMap| {
        let logout = logout.clone();
        async move {
            get_from(&logout, headers[COOKIE].to_str().unwrap()).await;
            visit(session).await
        }
    });
    let response = get_from(&app, &cookie).await;
    assert_eq!((response.status(), values(&response, SET_COOKIE)), (StatusCode::INTERNAL_SERVER_ERROR, vec![]));
    assert_eq!(text(response).await, khufu::Error::Gone.to_string());
}

#[tokio::test]
async fn an_error_that_a_handler_returns_reaches_the_hook() {
    let app = app_with_hook(&in_cookie(), |session: Session| async move {
        let mut session = session.lock()?;
        session.set("user", "zoë")?;
        Ok::<_, Error>(session.increment("user", 1)?.to_string())
    });
    let response = get_from(&app, "").await;
    assert_eq!((response.status(), values(&response, SET_COOKIE).len()), (StatusCode::INTERNAL_SERVER_ERROR, 1));
    assert_eq!(text(response).await, "the key \"user\" holds a string, not an integer");
}

/// The ways in which a request ends without a response.
#[derive(Clone, Copy, Debug)]
enum End {
    Panic,
    ServiceError,
    ClientLeft,
}

/// A service that uses its session, and ends without a response.
#[derive(Clone)]
struct Ending(End, fn(&mut khufu::Session));

impl Service<Request> for Ending {
    type Response = Response;
    type Error = &'static str;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self(end, change) = *self;
        Box::pin(async move {
            let session = Session::open(request.headers(), request.extensions()).await.unwrap();
            change(&mut session.lock().unwrap());
            match end {
                End::Panic => panic!("the handler panics"),
                End::ServiceError => Err("the service fails"),
                End::ClientLeft => pending().await,
            }
        })
    }
}

/// Sends a request that changes its session, and ends without a response.
async fn end_without_response(factory: &Factory, cookie: &str, end: End, change: fn(&mut khufu::Session)) {
    let mut service = SessionLayer::new(factory.clone()).layer(Ending(end, change));
    let response = service.call(request(cookie));
    match end {
        End::Panic => assert!(tokio::spawn(response).await.unwrap_err().is_panic()),
        End::ServiceError => assert_eq!(response.await.unwrap_err(), "the service fails"),
        End::ClientLeft => {
            tokio::select! { biased; _ = response => panic!("there is no response"), () = ready(()) => {} }
        }
    }
}

#[tokio::test]
async fn without_a_response_nothing_is_saved_but_a_session_that_was_invalidated_ends() {
    for end in [End::Panic, End::ServiceError, End::ClientLeft] {
        let factory = in_memory();
        let cookie = logged_in(&factory);
        end_without_response(&factory, &cookie, end, |session| drop(session.increment("visits", 1))).await;
        assert_eq!((is_live(&factory, &cookie), visits_in(&factory, &cookie)), (true, None), "{end:?}");
        let logout = |session: &mut khufu::Session| {
            session.invalidate();
            session.set_subject("zoë").unwrap();
        };
        end_without_response(&factory, &cookie, end, logout).await;
        assert!(!is_live(&factory, &cookie), "{end:?}");
        let subject = factory.subject("zoë").unwrap().sessions().unwrap();
        assert!(subject.is_empty(), "what was set after the end is dropped");
    }
}

#[test]
fn without_a_response_a_session_in_a_store_that_may_wait_ends_on_the_pool() {
    let server = RedisServer::start();
    let factory = Factory::new(&options().store(&server.url())).unwrap();
    let cookie = logged_in(&factory);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(end_without_response(&factory, &cookie, End::Panic, khufu::Session::invalidate));
    let ended = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        !is_live(&factory, &cookie)
    });
    assert!(ended);
}

#[tokio::test]
async fn a_change_after_the_commit_is_an_error() {
    let kept = Arc::new(Mutex::new(None));
    let app = app(&in_cookie(), {
        let kept = Arc::clone(&kept);
        move |session: Session| {
            *kept.lock().unwrap() = Some(session.clone());
            visit(session)
        }
    });
    get_from(&app, "").await;
    let session = kept.lock().unwrap().take().unwrap();
    assert_eq!(session.lock().err(), Some(Error::Committed));
    assert_eq!(session.check_csrf_token("").err(), Some(Error::Committed));
}

#[tokio::test]
async fn a_second_lock_of_one_thread_is_an_error_and_not_a_deadlock() {
    let app = app(&in_cookie(), |session: Session| async move {
        let guard = session.lock()?;
        assert_eq!(session.clone().lock().err(), Some(Error::InUse));
        drop(guard);
        visit(session).await
    });
    assert_eq!(text(get_from(&app, "").await).await, "1");
}

/// Answers, and leaves its session locked.
#[derive(Clone)]
struct Keeping;

impl Service<Request> for Keeping {
    type Response = Response;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let mut open = pin!(Session::open(request.headers(), request.extensions()));
        let Poll::Ready(session) = open.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("opening does not wait")
        };
        let session = Box::leak(Box::new(session.unwrap()));
        let mut guard = session.lock().unwrap();
        guard.set("user", "zoë").unwrap();
        std::mem::forget(guard);
        ready(Ok("the page".into_response()))
    }
}

#[tokio::test]
async fn a_session_that_stays_locked_is_not_lost_in_silence() {
    let mut service = SessionLayer::<Body>::new(in_cookie()).layer(Keeping);
    let response = service.call(request("")).await.unwrap();
    assert_eq!((response.status(), values(&response, SET_COOKIE)), (StatusCode::INTERNAL_SERVER_ERROR, vec![]));
}

#[tokio::test]
async fn a_store_that_waits_does_not_stop_other_requests() {
    // The runtime of this test has one thread. The second request sends the permit for which the first one waits.
    let (permit, permits) = channel();
    let (factory, cookie) = in_empty_store(EmptyStore { permits: Some(permits.into()), ..EmptyStore::default() });
    let app = Router::new()
        .route("/", get(visit))
        .layer(SessionLayer::new(factory))
        .route("/permit", get(|Extension(permit): Extension<Sender<()>>| async move { permit.send(()).unwrap() }))
        .layer(Extension(permit));
    let (mut first, mut second) = (request(&cookie), request(""));
    (*first.uri_mut(), *second.uri_mut()) = ("/".parse().unwrap(), "/permit".parse().unwrap());
    let (first, second) = tokio::join!(send(&app, first), send(&app, second));
    assert_eq!((first.status(), second.status()), (StatusCode::OK, StatusCode::OK));
}

#[test]
fn without_a_tokio_runtime_a_store_is_used_on_the_callers_thread() {
    let (factory, cookie) = in_empty_store(EmptyStore::default());
    let app = app(&factory, visit);
    let mut response = pin!(get_from(&app, &cookie));
    let Poll::Ready(response) = response.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("nothing is on another thread")
    };
    assert_eq!(values(&response, SET_COOKIE).len(), 1);
}

#[tokio::test]
async fn a_handler_without_a_layer_is_an_error() {
    let app = Router::new().fallback(visit);
    let response = get_from(&app, "").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(text(response).await, "");
}

#[tokio::test]
async fn a_csrf_token_in_a_header_is_checked_for_methods_that_change_something() {
    let factory = in_cookie();
    let mut session = factory.open(b"").unwrap();
    let token = session.csrf_token().unwrap().to_owned();
    let cookie = session.commit(Outcome::Response).unwrap()[0].split(';').next().unwrap().to_owned();
    let app = Router::new()
        .fallback(any(|| async { "done" }))
        .layer(from_extractor::<Csrf>())
        .layer(SessionLayer::new(factory));
    let wrong = "0".repeat(40);
    for (method, cookie, token, status) in [
        ("GET", "", None, 200),
        ("HEAD", "", None, 200),
        ("POST", &*cookie, Some(&*token), 200),
        ("DELETE", &cookie, Some(&token), 200),
        ("POST", &cookie, Some(&wrong), 403),
        ("POST", &cookie, Some(""), 403),
        ("POST", &cookie, None, 403),
        ("POST", "", Some(&token), 403),
        ("POST", "", Some(""), 403),
    ] {
        let mut request = Request::builder().method(method).header(COOKIE, cookie);
        if let Some(token) = token {
            request = request.header("X-CSRF-Token", token);
        }
        let response = send(&app, request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), status, "{method} {cookie} {token:?}");
    }
}

#[tokio::test]
async fn the_sessions_headers_are_merged_into_the_responses_own() {
    for (vary, merged) in [
        (&["Accept"][..], &["Accept", "Cookie"][..]),
        (&["Accept, cookie"], &["Accept, cookie"]),
        (&["*"], &["*"]),
        (&["Accept", "Cookie"], &["Accept", "Cookie"]),
    ] {
        assert_eq!(merged_with(VARY, vary, false).await, merged);
    }
    for (cache_control, ends, merged) in [
        (&["max-age=60"][..], false, &["max-age=60", "private"][..]),
        (&["public, max-age=60"], false, &["max-age=60", "private"]),
        (&["Public"], false, &["private"]),
        (&["s-maxage=9, no-cache=\"a, public\""], false, &["no-cache=\"a, public\"", "private"]),
        (&["x=\"a\\\", public\", public"], false, &["x=\"a\\\", public\"", "private"]),
        (&["Private"], false, &["Private"]),
        (&["no-store"], false, &["no-store"]),
        (&["private"], true, &["private", "no-store"]),
        (&["max-age=1, No-Store"], true, &["max-age=1, No-Store"]),
        (&["no-cache", "max-age=1, public"], true, &["no-cache", "max-age=1", "no-store"]),
    ] {
        assert_eq!(merged_with(CACHE_CONTROL, cache_control, ends).await, merged);
    }
    let cookies = merged_with(SET_COOKIE, &["a=1", "session=other; Path=/other"], false).await;
    assert_eq!((cookies.len(), &cookies[..2]), (3, &["a=1".to_owned(), "session=other; Path=/other".to_owned()][..]));
}

/// The values of a header after the session's headers were merged into a response that has these values.
async fn merged_with(name: HeaderName, own: &'static [&'static str], ends: bool) -> Vec<String> {
    let header = name.clone();
    let app = app(&in_memory(), move |session: Session| async move {
        session.lock().unwrap().set("user", "zoë").unwrap();
        if ends {
            session.lock().unwrap().invalidate();
        }
        let mut response = ().into_response();
        for value in own {
            response.headers_mut().append(&header, value.parse().unwrap());
        }
        response
    });
    values(&get_from(&app, "").await, name).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_cookie_of_a_commit_by_the_handler_is_replaced() {
    let factory = in_cookie();
    let app = app(&factory, |session: Session| async move {
        let mut session = session.lock().unwrap();
        session.increment("visits", 1).unwrap();
        session.commit(Outcome::Response).unwrap();
        let mut response = "the page".into_response();
        for (name, value) in session.headers() {
            response.headers_mut().append(name, value.parse().unwrap());
        }
        session.increment("visits", 1).unwrap();
        response
    });
    let response = get_from(&app, "").await;
    assert_eq!(session_headers(&response)[1..], [["Cookie"], ["private"]]);
    assert_eq!(values(&response, SET_COOKIE).len(), 1);
    assert_eq!(visits_in(&factory, &cookie_of(&response)), Some(2));
}
