import { documents, type Previewed, qrels, queries, type Slot, sampleError, testQueries, useSample } from "../data.js";
import { counted } from "../format.js";
import { busy } from "../job.js";
import { EarlierField } from "../parts/earlier-field.js";
import { ErrorBox } from "../parts/error-box.js";
import { FileField } from "../parts/file-field.js";
import { JudgementsReading } from "../parts/judgements-reading.js";
import { Reading } from "../parts/reading.js";
import { Section } from "../parts/section.js";

function held(): string {
  const [log, corpus] = [queries.content.value?.texts, documents.content.value?.texts];
  if (!log && !corpus) return "nothing chosen yet";
  if (!log) return "queries are missing";
  if (!corpus) return "documents are missing";
  return `${counted(log.length, "query", "queries")}, ${counted(corpus.length, "document")}`;
}

/** The files and how they were read. */
export function DataSection() {
  return (
    <Section
      number={1}
      title="Data"
      state={held()}
      sentence="Choose what people searched for and what they search in: CSV, TSV, JSON lines or plain lines."
    >
      <fieldset class="plain" disabled={busy.value}>
        <legend class="hidden">Files</legend>
        <p>
          <button type="button" data-testid="use-sample" onClick={() => void useSample()}>
            Use the sample
          </button>
        </p>
        <ErrorBox error={sampleError.value} testid="error-sample" />
        <div class="columns">
          <TextsField
            slot={queries}
            name="queries"
            label="Queries"
            hint="The search log: one query a row, perhaps with how often it was asked."
            example={"query\nwaterproof hiking boots\ncheap flights to lisbon"}
          />
          <TextsField
            slot={documents}
            name="documents"
            label="Documents"
            hint="What is searched: one document a row, with a text and perhaps an id and a title."
            example={"id,title,text\n17,Trail boot,Waterproof membrane and a grippy sole"}
            isDocuments
          />
        </div>
        <details open={Boolean(qrels.file.value)} data-testid="judgements">
          <summary>Judgements, if you have some (optional)</summary>
          <p class="quiet">
            With judgements the page can say whether results got better. Without them it can only say how far the tuned
            model agrees with the cross-encoder.
          </p>
          <div class="columns">
            <div>
              <FileField
                label="Judgements (qrels)"
                hint="Query id, document id and relevance, by name or in this order. 1 and more is relevant, 0 is not."
                optional
                slot={qrels}
                testid="file-qrels"
                example={"query id,document id,relevance\nq1,17,1"}
                onChoose={(file) => void qrels.choose(file)}
              />
              <JudgementsReading slot={qrels} />
            </div>
            <TextsField
              slot={testQueries}
              name="test-queries"
              label="Test queries"
              hint="The queries that the judgements are about. Without this file the log's own are taken."
              example={"id,query\nq1,boots for rain"}
              optional
            />
          </div>
        </details>
        <EarlierField />
      </fieldset>
    </Section>
  );
}

interface TextsFieldProps {
  slot: Slot<Previewed>;
  name: string;
  label: string;
  hint: string;
  example: string;
  optional?: boolean;
  isDocuments?: boolean;
}

/** A file of texts, and how it was read. */
function TextsField({ slot, name, isDocuments = false, ...field }: TextsFieldProps) {
  return (
    <div>
      <FileField {...field} slot={slot} testid={`file-${name}`} onChoose={(file) => void slot.choose(file)} />
      <Reading slot={slot} name={name} isDocuments={isDocuments} />
    </div>
  );
}
