const BUCKET = "call-recordings";
const RATE = 8_000;
const SECONDS = 2;

/** Two seconds of a soft two-tone chime as a WAV file; every clinic has a pitch of its own. */
export function chime(number) {
  const samples = RATE * SECONDS;
  const file = Buffer.alloc(44 + samples * 2);
  writeHeader(file, samples * 2);
  const base = 330 * 2 ** ((number % 12) / 12);
  for (let i = 0; i < samples; i++) {
    const pitch = i < samples / 2 ? base : base * 1.25;
    const fade = 1 - (i % (samples / 2)) / (samples / 2);
    file.writeInt16LE(Math.round(9000 * fade * Math.sin((2 * Math.PI * pitch * i) / RATE)), 44 + i * 2);
  }
  return file;
}

function writeHeader(file, bytes) {
  file.write("RIFF", 0);
  file.writeUInt32LE(36 + bytes, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20); // PCM
  file.writeUInt16LE(1, 22); // one channel
  file.writeUInt32LE(RATE, 24);
  file.writeUInt32LE(RATE * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(bytes, 40);
}

/** Uploads the sound that all recorded calls of the clinic point to. */
export async function uploadRecording(clinic, { supabaseUrl, serviceKey }) {
  const response = await fetch(`${supabaseUrl}/storage/v1/object/${BUCKET}/${clinic.orgId}/demo.wav`, {
    method: "POST",
    headers: { apikey: serviceKey, authorization: `Bearer ${serviceKey}`, "content-type": "audio/wav", "x-upsert": "true" },
    body: chime(clinic.number),
  });
  if (!response.ok) throw new Error(`Storage refused the recording: ${response.status} ${(await response.text()).slice(0, 300)}`);
}
