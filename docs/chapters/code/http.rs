use oneloop::http::{Client, Error, Reply, Request, Server};
use oneloop::spawn_named;

async fn greet(request: Request) -> Reply {
    Reply::text(format!("Hello, {}!", &request.path()[1..]))
}

async fn ask(address: String) -> Result<(), Error> {
    let client = Client::new();
    for name in ["Ada", "Grace"] {
        let response = client.get(format!("http://{address}/{name}")).send().await?;
        println!("{}: {}", response.status(), response.text().await?);
    }
    Ok(())
}

pub fn main() {
    let asked = oneloop::run(async {
        let server = Server::bind("127.0.0.1:0").expect("the loopback has ports");
        let address = server.local_addr().expect("it is bound").to_string();
        let serving = spawn_named("server", server.serve(greet));
        let asked = ask(address).await;
        serving.cancel();
        asked
    });
    asked.expect("the server answers");
}
