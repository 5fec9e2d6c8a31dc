"""Ids and numbers stay unique at sizes that no other test reaches."""

import json
import subprocess

from tests.seed.conftest import SEED


def evaluate(script: str) -> dict:
    """What `script` (an ES module beside the seed's own) prints as JSON."""
    command = ["node", "--input-type=module", "-e", script.replace("SEED", SEED.parent.as_uri())]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


def test_ids_of_many_clinics_do_not_collide() -> None:
    script = """
      import { uuidOf } from "SEED/random.mjs";
      const ids = new Set();
      for (let seed = 0; seed < 100; seed++) for (let key = 0; key < 10_000; key++) ids.add(uuidOf(seed * 7919, key));
      console.log(JSON.stringify({ ids: ids.size, sample: [...ids][0] }));"""
    found = evaluate(script)
    assert found["ids"] == 1_000_000
    assert len(found["sample"]) == 36


def test_a_million_people_have_numbers_of_their_own() -> None:
    script = """
      import { CAPACITY, phoneOf } from "SEED/phones.mjs";
      const sizes = ["GB", "US"].map((country) => {
        const numbers = new Set();
        for (let person = 0; person < CAPACITY; person++) numbers.add(phoneOf(country, person));
        return numbers.size;
      });
      console.log(JSON.stringify({ sizes }));"""
    assert evaluate(script)["sizes"] == [1_000_000, 1_000_000]


def test_a_clinic_line_is_nobody_elses_number() -> None:
    script = """
      import { officeNumber, phoneOf } from "SEED/phones.mjs";
      const lines = [];
      for (const country of ["GB", "US"])
        for (let clinic = 1; clinic <= 2000; clinic++)
          for (const line of [0, 1]) lines.push([country, officeNumber(country, clinic, line)]);
      const perCountry = (name) => new Set(lines.filter(([country]) => country === name).map(([, line]) => line)).size;
      const offices = new Set(lines.map(([, line]) => line));
      let shared = 0;
      for (let person = 0; person < 200_000; person++)
        shared += offices.has(phoneOf("GB", person)) + offices.has(phoneOf("US", person));
      console.log(JSON.stringify({ gb: perCountry("GB"), us: perCountry("US"), shared }));"""
    assert evaluate(script) == {"gb": 4000, "us": 4000, "shared": 0}
