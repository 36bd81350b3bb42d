//! The examples of the RFCs.

use josekit::jws::JwsVerifier as _;
use serde_json::{Value, json};
use tenantry_jose::{Algorithm, Expected, Jwk, KeySet, VerifyError, VerifyingKey, thumbprint, verify};
use tenantry_types::UtcTime;

use crate::decode;

const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// The tokens of RFC 7515 appendix A have no type, no audience, and expire at 1300819380.
fn joe(seconds: i64) -> Expected<'static> {
    let now = UtcTime::from_unix_seconds(seconds).unwrap();
    Expected { typ_may_be_absent: true, ..Expected::new(&[], Some("joe"), None, now) }
}

fn rfc7515_rsa() -> Value {
    json!({
        "kty": "RSA",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ\
              S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2\
              R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD\
              TW9gb54h4FRWyuXpoQ",
        "e": "AQAB"
    })
}

#[test]
fn rfc_7515_a1_hmac_is_refused() {
    let token =
        format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let jwks = json!({ "keys": [{ "kty": "oct",
        "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow" }] });
    let keys = KeySet::from_jwks(&jwks).unwrap();
    assert!(keys.is_empty());
    assert_eq!(verify(&token, &keys, &joe(1_300_819_379)).unwrap_err(), VerifyError::Algorithm);
}

#[test]
fn rfc_7515_a2_rs256() {
    let token = format!(
        "eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5Y\
         Kt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0Ga\
         rZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIh\
         WkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    let keys = KeySet::from(VerifyingKey::from_jwk(&rfc7515_rsa()).unwrap());
    let verified = verify(&token, &keys, &joe(1_300_819_379)).unwrap();
    assert_eq!(verified.claims["http://example.com/is_root"], true);
    assert_eq!(verify(&token, &keys, &joe(1_300_819_380)).unwrap_err(), VerifyError::Expired);
    // The same key for the other algorithm does not take the signature.
    let other = KeySet::from(VerifyingKey::from_jwk_for(&rfc7515_rsa(), Algorithm::Ps256).unwrap());
    assert_eq!(verify(&token, &other, &joe(1_300_819_379)).unwrap_err(), VerifyError::UnknownKey { key_id: None });
}

#[test]
fn rfc_7515_a3_es256() {
    let token = format!(
        "eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" });
    let keys = KeySet::from(VerifyingKey::from_jwk(&jwk).unwrap());
    let verified = verify(&token, &keys, &joe(1_300_819_379)).unwrap();
    assert_eq!((verified.text("iss"), verified.seconds("exp")), (Some("joe"), Some(1_300_819_380)));
}

#[test]
fn rfc_7515_a5_unsecured_is_refused() {
    let keys = KeySet::from(VerifyingKey::from_jwk(&rfc7515_rsa()).unwrap());
    let token = format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.");
    assert_eq!(verify(&token, &keys, &joe(1_300_819_379)).unwrap_err(), VerifyError::Algorithm);
}

#[test]
fn rfc_8037_ed25519() {
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let key = VerifyingKey::from_jwk(&jwk).unwrap();
    assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let signature = decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    let input = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    key.verify(input, &signature).unwrap();
    assert!(key.verify(b"other", &signature).is_err());
}

fn rfc7517_keys() -> Value {
    json!({ "keys": [
        { "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
          "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "use": "enc", "kid": "1" },
        { "kty": "RSA",
          "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3\
                oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA\
                ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-\
                kEgU8awapJzKnqDKgw",
          "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" }
    ] })
}

#[test]
fn rfc_7517_a1_public_keys() {
    let keys = KeySet::from_jwks(&rfc7517_keys()).unwrap();
    // The first is for encryption.
    assert_eq!(keys.len(), 1);
    assert!(keys.find("1").is_none());
    let rsa = keys.find("2011-04-29").unwrap();
    assert_eq!(rsa.algorithm(), Algorithm::Rs256);
    // RFC 7638 §3.1 gives the thumbprint of the same key.
    assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let mut for_signatures = rfc7517_keys();
    for_signatures["keys"][0]["use"] = "sig".into();
    assert_eq!(KeySet::from_jwks(&for_signatures).unwrap().len(), 2);
}

#[test]
fn rfc_7638_thumbprints() {
    let of = |jwk: &Value| thumbprint(&serde_json::from_value::<Jwk>(jwk.clone()).unwrap());
    assert_eq!(of(&rfc7517_keys()["keys"][0]).unwrap(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
    assert_eq!(of(&rfc7517_keys()["keys"][1]).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // No member, another type, another kind: an error, although josekit's own accessors would panic.
    for jwk in [json!({}), json!({ "kty": 1 }), json!({ "kty": "new" }), json!({ "kty": "EC", "crv": "P-256", "x": 1 })]
    {
        assert!(of(&jwk).is_err(), "{jwk}");
    }
    assert_eq!(of(&json!({ "kty": "oct", "k": "Z\u{e9}\"" })).unwrap().len(), 43);
}
