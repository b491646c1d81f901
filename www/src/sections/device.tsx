import { useEffect } from "preact/hooks";
import type { DeviceChoice } from "querytune";
import { documents } from "../data.js";
import { info } from "../engine.js";
import { bytes, count, counted } from "../format.js";
import { busy } from "../job.js";
import { Section } from "../parts/section.js";
import { notices } from "../session.js";
import {
  areNamed,
  chooseOrigin,
  device,
  ENGLISH,
  folder,
  hub,
  knowEnglishAlone,
  lookForServed,
  MULTILINGUAL,
  nameOfFolder,
  nameOnHub,
  type Origin,
  origin,
  SERVED,
  served,
} from "../settings.js";

const DEVICES: [DeviceChoice, string, string][] = [
  ["auto", "Automatic", "WebGPU where its numbers are right and it is faster, else the CPU"],
  ["webgpu", "WebGPU", "the graphics card; fails if there is none"],
  ["cpu", "CPU", "works everywhere, slower"],
];

function runsOn(): string {
  if (!info.value) return "models not loaded yet";
  return info.value.device.kind === "webgpu" ? "loaded, WebGPU" : "loaded, CPU";
}

/** Where it runs and with which models. */
export function DeviceSection() {
  useEffect(() => void lookForServed(), []);
  return (
    <Section
      number={2}
      title="Device and models"
      state={runsOn()}
      sentence="Two pre-trained models do the work in this page: an encoder, which is adapted, and a cross-encoder, which teaches it."
    >
      <div class="columns">
        <fieldset disabled={busy.value}>
          <legend>Device</legend>
          {DEVICES.map(([value, name, meaning]) => (
            <label class="choice" key={value}>
              <input
                type="radio"
                name="device"
                data-testid={`device-${value}`}
                checked={device.value === value}
                onChange={() => {
                  device.value = value;
                }}
              />
              <span>
                {name} <span class="quiet">– {meaning}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <fieldset disabled={busy.value}>
          <legend>Models</legend>
          <OriginChoice value="server" name="From this server">
            {served.value === false ? "not there" : `${SERVED.encoder} and ${SERVED.crossEncoder}`}
          </OriginChoice>
          <OriginChoice value="hub" name="From the hub">
            downloaded once and kept in this browser; for other languages than English, too
          </OriginChoice>
          {origin.value === "hub" && (
            <div class="fields inset">
              <label>
                Encoder
                <input
                  type="text"
                  data-testid="hub-encoder"
                  value={hub.encoder.value}
                  onInput={(event) => {
                    hub.encoder.value = event.currentTarget.value;
                  }}
                />
              </label>
              <label>
                Cross-encoder
                <input
                  type="text"
                  data-testid="hub-cross-encoder"
                  value={hub.crossEncoder.value}
                  onInput={(event) => {
                    hub.crossEncoder.value = event.currentTarget.value;
                  }}
                />
              </label>
              <Languages />
            </div>
          )}
          <OriginChoice value="folder" name="From folders on this computer">
            each with config.json, tokenizer.json and model.safetensors
          </OriginChoice>
          {origin.value === "folder" && (
            <div class="fields inset">
              <FolderField label="Encoder folder" testid="folder-encoder" chosen={folder.encoder} />
              <FolderField label="Cross-encoder folder" testid="folder-cross-encoder" chosen={folder.crossEncoder} />
            </div>
          )}
        </fieldset>
      </div>
      <NotEnglish />
      <DeviceInfo />
      <details data-testid="device-more">
        <summary>What is tested before WebGPU is used, and what is downloaded</summary>
        <dl class="facts">
          <dt>Automatic</dt>
          <dd>
            WebGPU is taken if the browser has a real graphics card for it, if the numbers of both models agree with the
            CPU’s on a few short texts (some graphics cards give wrong ones without an error), and if it is faster with
            32 pairs of texts. Otherwise it is the CPU, and the reason is shown here.
          </dd>
          <dt>Downloaded</dt>
          <dd>
            Of the two models that are named at first, the encoder is some {bytes(90e6)} on the hub, the cross-encoder
            some {bytes(130e6)}; other models, and what this server has, may be smaller or larger. Run shows how far a
            download is. From folders nothing is downloaded.
          </dd>
          <dt>Kept</dt>
          <dd>
            In this browser’s cache storage, where the next visit finds it, without a network as well. Under “On this
            computer” its size is shown, and it can be deleted. A page over plain http: keeps none.
          </dd>
        </dl>
      </details>
      {notices.value.map((message) => (
        <p class="notice" role="status" key={message}>
          {message}
        </p>
      ))}
    </Section>
  );
}

/** Which languages the models know, and the way to others. One button, so that it keeps the focus. */
function Languages() {
  const many = areNamed(MULTILINGUAL);
  return (
    <p class="quiet" data-testid="hub-languages">
      {many &&
        `The encoder was made for some 50 languages, the cross-encoder for 14 of them. They are some ${bytes(1e9)} to ` +
          `download and take some ${bytes(3e9)} of memory. `}
      {areNamed(ENGLISH) && "These know English. "}
      <button
        type="button"
        class="link"
        data-testid="hub-other-languages"
        onClick={() => nameOnHub(many ? ENGLISH : MULTILINGUAL)}
      >
        {many ? "Name the English ones" : "Name two for other languages"}
      </button>
    </p>
  );
}

/** That the models are of no use for these texts, before hours are spent on them. */
function NotEnglish() {
  if (documents.content.value?.isEnglish !== false || !knowEnglishAlone.value) return null;
  return (
    <p class="notice" role="status" data-testid="not-english">
      The documents do not look like English, and the chosen models know English alone: what they find and score will
      hardly be right.{" "}
      <button
        type="button"
        class="link"
        data-testid="not-english-other"
        disabled={busy.value}
        onClick={() => {
          chooseOrigin("hub");
          nameOnHub(MULTILINGUAL);
          // This button goes away.
          document.querySelector<HTMLElement>("[data-testid=models-hub]")?.focus();
        }}
      >
        Take models for other languages from the hub
      </button>
    </p>
  );
}

function OriginChoice({ value, name, children }: { value: Origin; name: string; children: string }) {
  return (
    <label class="choice">
      <input
        type="radio"
        name="origin"
        data-testid={`models-${value}`}
        disabled={value === "server" && !served.value}
        checked={origin.value === value}
        onChange={() => {
          chooseOrigin(value);
        }}
      />
      <span>
        {name} <span class="quiet">– {children}</span>
      </span>
    </label>
  );
}

function FolderField({ label, testid, chosen }: { label: string; testid: string; chosen: { value: File[] } }) {
  const files = chosen.value;
  return (
    <div class="folder">
      <label for={testid}>{label}</label>
      <input
        id={testid}
        type="file"
        data-testid={testid}
        multiple
        // Folder pickers are not in the types of the element.
        ref={(input) => input?.setAttribute("webkitdirectory", "")}
        onChange={(event) => {
          const input = event.currentTarget;
          if (input.files?.length) chosen.value = Array.from(input.files);
          // The same folder may be chosen again after it was changed.
          input.value = "";
        }}
      />
      <p class="chosen" role="status" data-testid={`${testid}-chosen`}>
        {files.length > 0 ? (
          <>
            <b>{nameOfFolder(files)}</b> <span class="quiet">{counted(files.length, "file")}</span>
          </>
        ) : (
          <span class="quiet">No folder yet.</span>
        )}
      </p>
    </div>
  );
}

function DeviceInfo() {
  const loaded = info.value;
  if (!loaded) return <p class="quiet">Which device it is will be shown here once the models are loaded.</p>;
  const { device: runs, models } = loaded;
  return (
    <dl class="facts" data-testid="device-info">
      <dt>Runs on</dt>
      <dd>
        <b>{runs.kind === "webgpu" ? "WebGPU" : "CPU"}</b>
        {runs.kind === "webgpu" && runs.adapter && ` (${runs.adapter})`}
        {loaded.threads > 1 && `, ${count(loaded.threads)} threads`}
        <span class="quiet"> {runs.reason}</span>
      </dd>
      <dt>Encoder</dt>
      <dd>
        {models.encoder.id}: {models.encoder.layers} layers, {models.encoder.dims} dimensions, texts up to{" "}
        {models.encoder.maxLength} tokens
      </dd>
      <dt>Cross-encoder</dt>
      <dd>
        {models.crossEncoder?.id}: {models.crossEncoder?.layers} layers, pairs up to {models.crossEncoder?.maxLength}{" "}
        tokens
      </dd>
    </dl>
  );
}
