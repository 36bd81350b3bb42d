//! What is signed here is good elsewhere, and the other way round.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use josekit::jwk::alg::ec::{EcCurve, EcKeyPair};
use josekit::jwk::alg::ed::{EdCurve, EdKeyPair};
use josekit::jwk::alg::rsa::RsaKeyPair;
use josekit::jwk::{Jwk, KeyPair};
use josekit::jws::{ES256, EdDSA, JwsHeader, JwsSigner, JwsVerifier, PS256, RS256};
use josekit::jwt;
use serde_json::Value;
use tenantry_jose::{Algorithm, KeySet, SigningKey, VerifyingKey, verify};

use crate::{claims, expected, key_set};

fn their_verifier(algorithm: Algorithm, jwk: &Jwk) -> Box<dyn JwsVerifier> {
    match algorithm {
        Algorithm::Es256 => Box::new(ES256.verifier_from_jwk(jwk).unwrap()),
        Algorithm::EdDsa => Box::new(EdDSA.verifier_from_jwk(jwk).unwrap()),
        Algorithm::Rs256 => Box::new(RS256.verifier_from_jwk(jwk).unwrap()),
        Algorithm::Ps256 => Box::new(PS256.verifier_from_jwk(jwk).unwrap()),
    }
}

/// A private key in PKCS#8. What josekit calls DER is that for some kinds of key only.
fn pkcs8(pair: &impl KeyPair) -> Vec<u8> {
    let pem = String::from_utf8(pair.to_pem_private_key()).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

/// Their private key, its signer, and its public half.
fn their_key(algorithm: Algorithm) -> (Vec<u8>, Box<dyn JwsSigner>, Jwk) {
    match algorithm {
        Algorithm::Es256 => {
            let pair = EcKeyPair::generate(EcCurve::P256).unwrap();
            let signer = ES256.signer_from_jwk(&pair.to_jwk_private_key()).unwrap();
            (pkcs8(&pair), Box::new(signer), pair.to_jwk_public_key())
        }
        Algorithm::EdDsa => {
            let pair = EdKeyPair::generate(EdCurve::Ed25519).unwrap();
            let signer = EdDSA.signer_from_jwk(&pair.to_jwk_private_key()).unwrap();
            (pkcs8(&pair), Box::new(signer), pair.to_jwk_public_key())
        }
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::generate(2048).unwrap();
            let signer = RS256.signer_from_jwk(&pair.to_jwk_private_key()).unwrap();
            (pkcs8(&pair), Box::new(signer), pair.to_jwk_public_key())
        }
        Algorithm::Ps256 => {
            let pair = RsaKeyPair::generate(2048).unwrap();
            let signer = PS256.signer_from_jwk(&pair.to_jwk_private_key()).unwrap();
            (pkcs8(&pair), Box::new(signer), pair.to_jwk_public_key())
        }
    }
}

/// A token by josekit's own serialization.
fn their_token(signer: &dyn JwsSigner) -> String {
    let mut header = JwsHeader::new();
    header.set_token_type("at+jwt");
    let Value::Object(claims) = claims() else { unreachable!() };
    let payload = jwt::JwtPayload::from_map(claims).unwrap();
    jwt::encode_with_signer(&payload, &header, signer).unwrap()
}

#[test]
fn josekit_verifies_ours() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let key = SigningKey::generate(algorithm).unwrap();
        let token = key.sign_jwt("at+jwt", &claims()).unwrap();
        let verifier = their_verifier(algorithm, key.public_jwk());
        let (payload, header) = jwt::decode_with_verifier(&token, &*verifier).unwrap();
        assert_eq!(Value::Object(payload.claims_set().clone()), claims(), "{algorithm}");
        assert_eq!((header.key_id(), header.token_type()), (Some(key.kid()), Some("at+jwt")));
    }
}

#[test]
fn we_verify_josekits() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let (_, signer, public) = their_key(algorithm);
        let public = serde_json::to_value(&public).unwrap();
        let keys = KeySet::from(VerifyingKey::from_jwk_for(&public, algorithm).unwrap());
        let token = their_token(&*signer);
        let verified = verify(&token, &keys, &expected()).unwrap();
        assert_eq!(Value::Object(verified.claims), claims(), "{algorithm}");
    }
}

#[test]
fn josekits_private_keys_work_here() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let (der, _, public) = their_key(algorithm);
        let key = SigningKey::from_pkcs8(algorithm, &der).unwrap();
        let public = serde_json::to_value(&public).unwrap();
        assert_eq!(key.kid(), VerifyingKey::from_jwk_for(&public, algorithm).unwrap().thumbprint());
    }
}

/// Our keys in josekit's serialization: the traits are whole.
#[test]
fn josekits_serialization_takes_our_keys() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let key = SigningKey::generate(algorithm).unwrap();
        let token = their_token(&key);
        verify(&token, &key_set(&key), &expected()).unwrap();
        let (payload, _) = jwt::decode_with_verifier(&token, key.verifying_key()).unwrap();
        assert_eq!(payload.subject(), Some("u1"));

        let (signer, verifier) = (JwsSigner::box_clone(&key), JwsVerifier::box_clone(key.verifying_key()));
        assert_eq!((signer.algorithm().name(), verifier.algorithm().name()), (algorithm.as_str(), algorithm.as_str()));
        assert_eq!((signer.key_id(), verifier.key_id()), (Some(key.kid()), Some(key.kid())));
        assert_eq!(signer.algorithm().box_clone().name(), algorithm.as_str());
        let signature = signer.sign(b"message").unwrap();
        assert_eq!(signature.len(), signer.signature_len());
        verifier.verify(b"message", &signature).unwrap();
    }
}
