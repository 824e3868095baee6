using System.Collections.Generic;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>An NPC of a cast file.</summary>
    public sealed class CastNpc
    {
        internal CastNpc(CastFields fields)
        {
            Npc = fields.Needed("npc");
            Name = fields.Needed("name");
            Persona = fields.Text("persona");
            Source = fields.Text("source");
            Format = fields.Text("format");
            Tokens = fields.OptionalInteger("tokens") ?? 0;
            Archetype = fields.OptionalText("archetype");
            Sociability = fields.Real("sociability", 0);
            Facts = fields.Object("facts");
            Greetings = fields.Texts("greetings");
            GroupGreetings = fields.Texts("group_greetings");
            Material = fields.Text("material");
            Lorebook = fields.Parts("lorebook", one => new LoreEntry(one));
            LorebookBudgetTokens = fields.OptionalInteger("lorebook_budget_tokens");
            Sections = fields.Parts("sections", one => new CastSection(one));
            Extras = fields.Object("extras");
        }

        /// <summary>Its id; what it remembers hangs on it.</summary>
        public string Npc { get; }

        /// <summary>As others call it.</summary>
        public string Name { get; }

        /// <summary>Who it is, for the model.</summary>
        public string Persona { get; }

        /// <summary>Path of the file it came from, and what tells it from others there.</summary>
        public string Source { get; }

        /// <summary>Format of that file.</summary>
        public string Format { get; }

        /// <summary>Tokens of the persona, as counted at the import.</summary>
        public long Tokens { get; }

        /// <summary>Null if it has none.</summary>
        public string Archetype { get; }

        /// <summary>How much it likes to talk to other NPCs, from 0 to 1.</summary>
        public double Sociability { get; }

        /// <summary>Race, voice, reference ids and so on, by name.</summary>
        public IReadOnlyDictionary<string, JsonValue> Facts { get; }

        /// <summary>Lines for a first meeting.</summary>
        public IReadOnlyList<string> Greetings { get; }

        /// <summary>Lines for a first meeting with others beside.</summary>
        public IReadOnlyList<string> GroupGreetings { get; }

        /// <summary>Instructions for each of its replies; a Lorebook mod gives them.</summary>
        public string Material { get; }

        /// <summary>What it alone knows when a key is heard.</summary>
        public IReadOnlyList<LoreEntry> Lorebook { get; }

        /// <summary>Most tokens of its lorebook that a reply may be told; null = the server's setting.</summary>
        public long? LorebookBudgetTokens { get; }

        /// <summary>All parts of the persona, untrimmed.</summary>
        public IReadOnlyList<CastSection> Sections { get; }

        /// <summary>Fields of its file that have no other place.</summary>
        public IReadOnlyDictionary<string, JsonValue> Extras { get; }

        /// <summary>The NPC as <see cref="GameWorld.Add(NpcSpec)"/> wants it.</summary>
        public NpcSpec Spec() => new NpcSpec
        {
            Npc = Npc,
            Name = Name,
            Persona = Persona,
            Archetype = Archetype,
            Sociability = Sociability,
        };
    }

    /// <summary>A part of a persona.</summary>
    public sealed class CastSection
    {
        internal CastSection(CastFields fields)
        {
            Kind = fields.Needed("kind");
            Text = fields.Needed("text");
        }

        /// <summary>"description", "personality", "scenario" and so on.</summary>
        public string Kind { get; }

        /// <summary>What stands in it.</summary>
        public string Text { get; }
    }
}
