//! A name server of our own, on the loopback address.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, TXT};
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;

type Texts = Arc<Mutex<HashMap<String, String>>>;
type Hosts = Arc<Mutex<HashMap<String, Ipv4Addr>>>;

/// Answers for the names that it was told, over UDP.
pub struct NameServer {
    pub address: SocketAddr,
    texts: Texts,
    hosts: Hosts,
}

impl NameServer {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (texts, hosts) = (Texts::default(), Hosts::default());
        let server = Self { address, texts: Arc::clone(&texts), hosts: Arc::clone(&hosts) };
        // It ends with the runtime of the test.
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
                let answer = answer(&question, &texts.lock().unwrap(), &hosts.lock().unwrap());
                let _ = socket.send_to(&answer.to_vec().unwrap(), from).await;
            }
        });
        server
    }

    pub fn set_text(&self, name: &str, text: &str) {
        self.texts.lock().unwrap().insert(format!("{name}."), text.to_owned());
    }

    pub fn remove_text(&self, name: &str) {
        self.texts.lock().unwrap().remove(&format!("{name}."));
    }

    pub fn set_host(&self, name: &str, address: Ipv4Addr) {
        self.hosts.lock().unwrap().insert(format!("{name}."), address);
    }
}

fn answer(question: &Message, texts: &HashMap<String, String>, hosts: &HashMap<String, Ipv4Addr>) -> Message {
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    let Some(query) = question.queries.first() else { return answer };
    answer.add_query(query.clone());
    let name = query.name().to_ascii().to_lowercase();
    let data = match query.query_type() {
        RecordType::TXT => texts.get(&name).map(|text| RData::TXT(TXT::new(vec![text.clone()]))),
        RecordType::A => hosts.get(&name).map(|address| RData::A(A(*address))),
        _ => None,
    };
    match data {
        Some(data) => {
            answer.add_answer(Record::from_rdata(query.name().clone(), 60, data));
        }
        None if texts.contains_key(&name) || hosts.contains_key(&name) => {}
        None => answer.metadata.response_code = ResponseCode::NXDomain,
    }
    answer
}
