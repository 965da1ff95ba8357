use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

async fn impatient() {
    let mut asked = 0;
    poll_fn(|cx| {
        asked += 1;
        if asked == 1_100 {
            // Stands for: by now, somebody else has what we wait for.
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    println!("impatient: asked {asked} times");
}

pub fn main() {
    oneloop::run(async {
        let impatient = oneloop::spawn(impatient());
        oneloop::sleep(Duration::from_millis(1)).await;
        println!("main: a millisecond later");
        impatient.await.expect("it does not panic");
    });
}
