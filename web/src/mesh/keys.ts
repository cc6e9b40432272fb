// The keys of a room and of a pair of peers (docs/MESH.md sections 1 and 2), and the mac of HELLO
// (section 6): HKDF (RFC 5869), ECDH and HMAC, all by WebCrypto, so that private keys may be ones
// that cannot be taken out of the browser. It derives; it keeps nothing and seals nothing.

import { type Bytes, compare, concat, equal, utf8 } from './bytes';
import { MeshError } from './error';
import { KEY_HASH } from './link';
import { sha256 } from './merkle';
import { checkNames } from './names';
import { importPoint } from './sign';

const ECDH = { name: 'ECDH', namedCurve: 'P-256' } as const;

/** This peer's key pair for agreement. */
export interface Agreement {
  privateKey: CryptoKey;
  /** The public key, 65 bytes. */
  dh: Bytes;
}

/** What is derived from S for one room. */
export interface RoomKeys {
  room: string;
  /** Shown to the server to come in; the server keeps its hash, the verifier. */
  join: Bytes;
  verifier: Bytes;
  /** The key of group envelopes. */
  group: CryptoKey;
}

/** What two peers share: each seals with one key and opens with another, so that nothing can be sent back. */
export interface Pair {
  room: string;
  own: Bytes;
  other: Bytes;
  sealOut: CryptoKey;
  sealIn: CryptoKey;
  macOut: CryptoKey;
  macIn: CryptoKey;
  /** Where keys for all other uses come from; see exportKey. */
  exporter: CryptoKey;
}

/** What the mac of HELLO is over. */
export interface HelloFacts {
  attempt: Bytes;
  lane: number;
  /** Hashes of the DTLS certificates. */
  offerer: Bytes;
  answerer: Bytes;
}

export const random = (size: number): Bytes => crypto.getRandomValues(new Uint8Array(size));

/** A new pair of keys for agreement. The private one cannot be taken out of the browser. */
export async function newAgreement(): Promise<Agreement> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ECDH, false, ['deriveBits']);
  return { privateKey, dh: new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)) };
}

/** HKDF of RFC 5869 with SHA-256. size in bytes. */
export async function hkdf(key: Bytes, salt: Bytes, info: Bytes, size: number): Promise<Bytes> {
  return expand(await hkdfKey(key), salt, info, size);
}

/** Throws MeshError when the room has no possible name. */
export async function roomKeys(secret: Bytes, room: string): Promise<RoomKeys> {
  checkNames(room);
  const join = await hkdf(secret, utf8(room), utf8('fanfare mesh v1 join'), 32);
  const group = await hkdf(secret, utf8(room), utf8('fanfare mesh v1 group'), 32);
  return { room, join, verifier: await sha256(join), group: await sealingKey(group) };
}

/** K: the first half of the hash of a signing key's point. */
export async function keyHash(point: Bytes): Promise<Bytes> {
  return (await sha256(point)).slice(0, KEY_HASH);
}

/** How tokens and revocations name a room. */
export async function roomHash(room: string): Promise<Bytes> {
  return (await sha256(utf8(room))).slice(0, 16);
}

/**
 * The 160 bytes of keys of a pair: seal low→high, seal high→low, mac low→high, mac high→low, export.
 * Throws MeshError when the other's key is no point of the curve, or is this peer's own.
 */
export async function pairBytes(own: Agreement, other: Bytes, secret: Bytes, room: string): Promise<Bytes> {
  checkNames(room);
  if (equal(own.dh, other)) throw new MeshError("this peer's own key in place of another's");
  const theirs = await importPoint(other, ECDH, []);
  const x = new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, own.privateKey, 256));
  const [low, high] = isLower(own.dh, other) ? [own.dh, other] : [other, own.dh];
  return hkdf(concat(x, secret), utf8(room), concat(utf8('fanfare mesh v1 pair'), low, high), 5 * 32);
}

/** The keys of a pair, ready for use. Throws as pairBytes does. */
export async function pairKeys(own: Agreement, other: Bytes, secret: Bytes, room: string): Promise<Pair> {
  const bytes = await pairBytes(own, other, secret, room);
  const part = (index: number): Bytes => bytes.slice(32 * index, 32 * (index + 1));
  const [out, back] = isLower(own.dh, other) ? [0, 1] : [1, 0];
  return {
    room,
    own: own.dh,
    other,
    sealOut: await sealingKey(part(out)),
    sealIn: await sealingKey(part(back)),
    macOut: await macKey(part(2 + out)),
    macIn: await macKey(part(2 + back)),
    exporter: await hkdfKey(part(4)),
  };
}

/** Whether a key is the lower of two: its owner's offer stands when two cross. */
export const isLower = (dh: Bytes, other: Bytes): boolean => compare(dh, other) < 0;

/** Bytes for another use than envelopes and HELLO, the same on both sides. The label names the use and direction. */
export function exportKey(pair: Pair, label: string, size: number): Promise<Bytes> {
  return exportText(pair, utf8(label), size);
}

/** exportKey with a label that is no text throughout. */
export function exportText(pair: Pair, label: Bytes, size: number): Promise<Bytes> {
  return expand(pair.exporter, utf8(pair.room), label, size);
}

// Makes it dear to find a key pair whose check words are those of another.
const CHECK_ROUNDS = 100_000;

/** What the two people may compare: four numbers below 1,024, shown as words of the list of codes. */
export async function checkNumbers(pair: Pair): Promise<number[]> {
  const secret = await exportKey(pair, 'fanfare mesh v1 check', 32);
  const base = await crypto.subtle.importKey('raw', secret, 'PBKDF2', false, ['deriveBits']);
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: utf8(pair.room), iterations: CHECK_ROUNDS };
  const bytes = new Uint8Array(await crypto.subtle.deriveBits(how, base, 40));
  const bits = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return [3, 2, 1, 0].map((place) => Math.floor(bits / 1024 ** place) % 1024);
}

/** What this side sends in its HELLO. */
export async function helloMac(pair: Pair, facts: HelloFacts): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', pair.macOut, helloText(facts)));
}

/** Whether the other side's HELLO is of this pair and this connection. */
export function checkHello(pair: Pair, facts: HelloFacts, mac: Bytes): Promise<boolean> {
  return crypto.subtle.verify('HMAC', pair.macIn, mac, helloText(facts));
}

function helloText({ attempt, lane, offerer, answerer }: HelloFacts): Bytes {
  return concat(utf8('fanfare hello v1\0'), attempt, Uint8Array.of(lane), offerer, answerer);
}

export function macKey(key: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
}

export function sealingKey(key: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

function hkdfKey(key: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', key, 'HKDF', false, ['deriveBits']);
}

async function expand(key: CryptoKey, salt: Bytes, info: Bytes, size: number): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, size * 8));
}
