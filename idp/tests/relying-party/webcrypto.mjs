// Node 18 (Debian 12, Ubuntu 24.04) keeps Web Cryptography behind a flag; openid-client expects it to be global.
// Imported before it, for that reason.
import { webcrypto } from 'node:crypto'

globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey
