// An independent verifier: Digital Bazaar's libraries for Data Integrity and status lists, jose for JWTs.
//
// Reads one JSON object from standard input:
//   contexts:  {address: file}    the JSON-LD contexts, as bundled
//   documents: {address: object}  DID documents and status lists, as published
//   items:     [{name, credential | jwt, now?, documents?}]
// and writes an array of {name, verified, revoked, suspended, error}. Nothing is fetched: what is not
// among contexts and documents does not exist.

import {readFileSync} from 'node:fs';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {checkStatus, statusTypeMatches} from '@digitalbazaar/vc-bitstring-status-list';
import * as jose from 'jose';

const DID_CONTEXT = 'https://www.w3.org/ns/did/v1';
const MULTIKEY_CONTEXT = 'https://w3id.org/security/multikey/v1';
const ALGORITHMS = ['EdDSA', 'Ed25519', 'RS256', 'ES256'];

const input = JSON.parse(readFileSync(0, 'utf8'));
const contexts = new Map(Object.entries(input.contexts).map(
  ([address, file]) => [address, JSON.parse(readFileSync(file, 'utf8'))]));

// What did:key means: the key is the name (did:key Method v0.7, section 3.1).
function didKeyDocument(did) {
  const multikey = did.slice('did:key:'.length);
  const id = `${did}#${multikey}`;
  return {
    '@context': [DID_CONTEXT, MULTIKEY_CONTEXT],
    id: did,
    verificationMethod: [
      {id, type: 'Multikey', controller: did, publicKeyMultibase: multikey}],
    assertionMethod: [id]
  };
}

function loaderOf(documents) {
  return async function documentLoader(address) {
    const found = value => ({contextUrl: null, documentUrl: address, document: structuredClone(value)});
    if(contexts.has(address)) {
      return found(contexts.get(address));
    }
    if(address in documents) {
      return found(documents[address]);
    }
    const [controller, fragment] = address.split('#');
    const document = documents[controller] ??
      (controller.startsWith('did:key:') ? didKeyDocument(controller) : undefined);
    if(document && fragment === undefined) {
      return found(document);
    }
    const method = document?.verificationMethod?.find(
      one => one.id === address || one.id === `#${fragment}`);
    if(method) {
      return found({'@context': MULTIKEY_CONTEXT, ...method, id: address});
    }
    throw new Error(`Nothing is known of "${address}".`);
  };
}

const suite = () => new DataIntegrityProof({cryptosuite});

function said(error) {
  const errors = error?.errors ?? (error ? [error] : []);
  return errors.map(one => one.message ?? String(one)).join('; ').slice(0, 300);
}

async function statusOf(credential, documentLoader) {
  const result = {revoked: false, suspended: false, error: ''};
  if(!credential.credentialStatus || !statusTypeMatches({credential})) {
    return result;
  }
  const answer = await checkStatus({
    credential, documentLoader, suite: suite(), verifyBitstringStatusListCredential: true});
  if(!answer.verified) {
    result.error = said(answer.error) || 'status not verified';
  }
  for(const one of answer.results ?? []) {
    if(one.status) {
      const purpose = one.credentialStatus.statusPurpose;
      result[purpose === 'revocation' ? 'revoked' : 'suspended'] = true;
    }
  }
  return result;
}

async function verifyJsonLd(credential, now, documentLoader) {
  const answer = await vc.verifyCredential({
    credential, suite: suite(), documentLoader, now,
    // Asked for below, whatever the time says.
    checkStatus: async () => ({verified: true})
  });
  const status = answer.verified ?
    await statusOf(credential, documentLoader) : {revoked: false, suspended: false, error: ''};
  // A learner record is signed as a whole, and each credential in it by its own issuer. Whether
  // those are still in force is for whoever reads the record; forged they must not be.
  const inner = answer.verified ? await forgedInside(credential, now, documentLoader) : '';
  return {
    verified: answer.verified && !status.error && !inner,
    revoked: status.revoked,
    suspended: status.suspended,
    error: said(answer.error) || status.error || inner
  };
}

async function forgedInside(credential, now, documentLoader) {
  const found = credential.credentialSubject?.verifiableCredential ?? [];
  for(const one of Array.isArray(found) ? found : [found]) {
    const {verified, error} = await verifyJsonLd(one, now, documentLoader);
    if(!verified && !/is (before|after)/.test(error)) {
      return `a credential in it: ${error}`;
    }
  }
  return '';
}

async function verifyJwt(jwt, now, documentLoader) {
  const header = jose.decodeProtectedHeader(jwt);
  const {document: method} = await documentLoader(header.kid);
  const {document: controller} = await documentLoader(method.controller);
  if(!controller.assertionMethod?.some(one => (one.id ?? one) === header.kid)) {
    throw new Error('The key may not sign credentials.');
  }
  const jwk = method.publicKeyJwk ?? {
    kty: 'OKP', crv: 'Ed25519', x: jose.base64url.encode(decodeMultikey(method.publicKeyMultibase))};
  const key = await jose.importJWK(jwk, header.alg);
  const {payload} = await jose.jwtVerify(
    jwt, key, {algorithms: ALGORITHMS, currentDate: now, clockTolerance: 300});
  const credential = payload.vc ?? payload;
  const issuer = credential.issuer?.id ?? credential.issuer;
  if(payload.iss !== method.controller || issuer !== method.controller) {
    throw new Error('The issuer does not control the key.');
  }
  const status = await statusOf(credential, documentLoader);
  return {
    verified: !status.error, revoked: status.revoked, suspended: status.suspended, error: status.error};
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

// The 32 bytes of an Ed25519 multikey.
function decodeMultikey(text) {
  let number = 0n;
  for(const character of text.slice(1)) {
    number = number * 58n + BigInt(BASE58.indexOf(character));
  }
  const bytes = Buffer.from(number.toString(16).padStart(68, '0'), 'hex');
  if(text[0] !== 'z' || bytes[0] !== 0xed || bytes[1] !== 0x01) {
    throw new Error('Not an Ed25519 multikey.');
  }
  return bytes.subarray(2);
}

const answers = [];
for(const item of input.items) {
  const documentLoader = loaderOf({...input.documents, ...item.documents});
  const now = item.now ? new Date(item.now) : new Date();
  let answer;
  try {
    answer = item.jwt ?
      await verifyJwt(item.jwt, now, documentLoader) :
      await verifyJsonLd(item.credential, now, documentLoader);
  } catch(error) {
    answer = {verified: false, revoked: false, suspended: false, error: said(error)};
  }
  answers.push({name: item.name, ...answer});
}
process.stdout.write(JSON.stringify(answers));
