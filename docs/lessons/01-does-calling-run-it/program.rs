async fn hello() {
    println!("Hello");
}

pub fn main() {
    oneloop::run(async {
        let never = hello();
        println!("a future is made");
        drop(never);
        println!("it was dropped");

        let task = oneloop::spawn(hello());
        task.await.expect("it neither panics nor is cancelled");
    });
}
