use oneloop::sync::Queue;

pub fn main() {
    oneloop::run(async {
        let wishes = Queue::new(2);
        for wish in ["a bicycle", "a telescope", "a puppy"] {
            wishes.put(wish).await.expect("the queue is open");
            println!("wished for {wish}");
        }
        while let Ok(wish) = wishes.try_get() {
            println!("here is {wish}");
        }
    });
}
