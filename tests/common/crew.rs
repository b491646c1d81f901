//! A host whose job has help.

use std::task::Poll;

use super::TestHost;
use querytune::job::{Crew, Host, LocalFuture, Progress, Store};

/// Lets whatever else there is run.
pub async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// A test's host with a crew.
pub struct HostWithCrew<C> {
    pub host: TestHost,
    pub crew: C,
}

impl<C: Crew> Host for HostWithCrew<C> {
    fn progress(&self, progress: &Progress) {
        self.host.progress(progress);
    }
    fn cancelled(&self) -> bool {
        self.host.cancelled()
    }
    fn pause(&self) -> LocalFuture<'_, ()> {
        self.host.pause()
    }
    fn now(&self) -> f64 {
        self.host.now()
    }
    fn store(&self) -> Option<&dyn Store> {
        self.host.store()
    }
    fn crew(&self) -> Option<&dyn Crew> {
        Some(&self.crew)
    }
}
