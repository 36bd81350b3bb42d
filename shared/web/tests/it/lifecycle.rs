use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{PATIENCE, get, to_end};
use crate::server::{Doors, bind_with, http, setup, start_with};

#[actix_web::test]
async fn a_graceful_stop_answers_what_is_in_flight_and_takes_nothing_new() {
    let doors = Doors::new();
    let server = start_with(setup(http()), doors.clone());
    let address = server.address();
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut some = [0; 16];
    idle.read_exact(&mut some).await.unwrap();

    let in_flight = tokio::spawn(async move { get(address, "/wait", &[]).await });
    timeout(PATIENCE, doors.arrived.acquire()).await.unwrap().unwrap().forget();
    let stopped = tokio::spawn(async move { server.stop(true).await });

    // The listener goes first; until it has gone the connection may still be taken and closed.
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, refused).await.expect("new connections are refused");
    assert!(!stopped.is_finished(), "a request is in flight");
    to_end(&mut idle).await;

    doors.leave.add_permits(1);
    let answer = in_flight.await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "done"));
    timeout(PATIENCE, stopped).await.expect("it ends").unwrap();
}

#[actix_web::test]
async fn a_stop_does_not_wait_for_ever() {
    let mut http = http();
    http.shutdown_timeout = 1;
    let doors = Doors::new();
    let server = start_with(setup(http), doors.clone());
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    timeout(PATIENCE, doors.arrived.acquire()).await.unwrap().unwrap().forget();
    timeout(PATIENCE, server.stop(true)).await.expect("it ends although the handler hangs");
    assert_eq!(to_end(&mut stream).await, b"");
}

#[actix_web::test]
async fn two_servers_live_in_one_process() {
    let one = start_with(setup(http()), Doors::new());
    let two = start_with(setup(http()), Doors::new());
    assert_ne!(one.address(), two.address());
    one.stop(true).await;
    assert_eq!(get(two.address(), "/livez", &[]).await.status, 200);
}

#[test]
fn a_server_runs_under_tokio_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = start_with(setup(http()), Doors::new());
        assert_eq!(get(server.address(), "/livez", &[]).await.status, 200);
        server.stop(true).await;
    });
}

#[actix_web::test]
async fn an_address_in_use_is_named() {
    let server = start_with(setup(http()), Doors::new());
    let mut taken = http();
    taken.listen = server.address();
    let Err(error) = tenantry_web::server::Server::bind(setup(taken), |_| {}) else { panic!("two on one port") };
    assert_eq!(error.to_string().split(": ").next(), Some(format!("cannot listen on {}", server.address()).as_str()));
}

fn signal(name: &str) {
    let own = std::process::id().to_string();
    assert!(std::process::Command::new("kill").args(["-s", name, &own]).status().unwrap().success());
}

/// Both in one test: a signal reaches every server that listens to signals.
#[actix_web::test]
async fn the_first_signal_is_patient_and_the_second_is_not() {
    for patient in [true, false] {
        let doors = Doors::new();
        let server = bind_with(setup(http()), doors.clone());
        let address = server.address();
        let run = actix_web::rt::spawn(server.run());
        let mut in_flight = TcpStream::connect(address).await.unwrap();
        let request = b"GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        in_flight.write_all(request).await.unwrap();
        timeout(PATIENCE, doors.arrived.acquire()).await.unwrap().unwrap().forget();

        signal("TERM");
        let refused = async {
            while TcpStream::connect(address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, refused).await.expect("new connections are refused");
        assert!(!run.is_finished(), "a request is in flight");
        if patient {
            doors.leave.add_permits(1);
        } else {
            signal("INT");
        }
        timeout(PATIENCE, run).await.expect("it ends").unwrap().unwrap();
        doors.leave.add_permits(1);
        assert!(to_end(&mut in_flight).await.ends_with(b"done"));
    }
}
