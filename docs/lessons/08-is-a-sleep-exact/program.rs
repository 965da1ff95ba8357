use std::thread;
use std::time::Duration;

fn later(after: u64, name: &'static str) {
    oneloop::call_later(Duration::from_millis(after), move || println!("{name}"));
}

pub fn main() {
    oneloop::run(async {
        later(200, "due after 200 ms");
        later(100, "due after 100 ms");
        later(0, "due at once");
        oneloop::call_soon(|| println!("soon"));
        println!("main: four calls are asked for");
        thread::sleep(Duration::from_millis(250));
        println!("main: 250 ms later");
        oneloop::sleep(Duration::from_millis(10)).await;
    });
}
