//! Signatures as the Standard Webhooks specification has them: a receiver with the secret knows that a message
//! is ours, whole and fresh.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hlsops_store::Secret;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// Why a secret is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It has another form.
    #[error("a secret is `whsec_` and 24 to 64 bytes in base64")]
    Form,
    /// The machine gives no random numbers.
    #[error("the machine gives no random numbers: check its random device")]
    Random,
}

/// What a message is signed with.
const PREFIX: &str = "whsec_";
const LENGTH: std::ops::RangeInclusive<usize> = 24..=64;
/// Bytes of a secret of ours.
const OURS: usize = 32;

/// A new secret.
///
/// # Errors
/// [`SecretError::Random`].
pub fn new_secret() -> Result<Secret, SecretError> {
    let mut bytes = [0; OURS];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SecretError::Random)?;
    Ok(Secret::new(format!("{PREFIX}{}", STANDARD.encode(bytes))))
}

/// Whether a text can be a secret.
///
/// # Errors
/// [`SecretError::Form`].
pub fn check_secret(secret: &str) -> Result<(), SecretError> {
    key(secret).map(drop)
}

/// The value of `webhook-signature`: one signature for each secret, so that a receiver that knows one of them
/// is satisfied while it changes to the other.
///
/// # Errors
/// [`SecretError::Form`].
pub fn signatures(secrets: &[Secret], id: &str, at_s: u64, body: &str) -> Result<String, SecretError> {
    let text = format!("{id}.{at_s}.{body}");
    let sign = |secret: &Secret| {
        let tag = hmac::sign(&key(secret.reveal())?, text.as_bytes());
        Ok(format!("v1,{}", STANDARD.encode(tag)))
    };
    let all: Vec<String> = secrets.iter().map(sign).collect::<Result<_, SecretError>>()?;
    Ok(all.join(" "))
}

fn key(secret: &str) -> Result<hmac::Key, SecretError> {
    let bytes = secret.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
    let bytes = bytes.filter(|bytes| LENGTH.contains(&bytes.len())).ok_or(SecretError::Form)?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's own example.
    #[test]
    fn the_published_vector() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let body = r#"{"test": 2432232314}"#;
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let one = std::slice::from_ref(&secret);
        assert_eq!(signatures(one, id, 1_614_265_330, body).as_deref(), Ok(expected));
        assert_ne!(signatures(one, id, 1_614_265_331, body).as_deref(), Ok(expected));
        let other = new_secret().unwrap();
        let both = signatures(&[other, secret], id, 1_614_265_330, body).unwrap();
        assert_eq!(both.split(' ').nth(1), Some(expected), "{both}");
    }

    #[test]
    fn secrets_are_checked() {
        check_secret(new_secret().unwrap().reveal()).unwrap();
        assert_ne!(new_secret().unwrap(), new_secret().unwrap());
        for bad in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_*"] {
            assert_eq!(check_secret(bad), Err(SecretError::Form), "{bad}");
        }
    }
}
