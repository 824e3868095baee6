using System.Collections.Generic;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>Something that is known: always, or when one of its keys is heard.</summary>
    public sealed class LoreEntry
    {
        internal LoreEntry(CastFields fields)
        {
            Content = fields.Needed("content");
            Keys = fields.Texts("keys");
            SecondaryKeys = fields.Texts("secondary_keys");
            Logic = fields.OptionalText("logic") ?? "any";
            Constant = fields.Flag("constant");
            Order = fields.Real("order", 100);
            Probability = fields.Real("probability", 1);
            CaseSensitive = fields.Flag("case_sensitive");
            Name = fields.Text("name");
            Extras = fields.Object("extras");
        }

        /// <summary>What is told to the model.</summary>
        public string Content { get; }

        /// <summary>Words of a talk that bring the entry up.</summary>
        public IReadOnlyList<string> Keys { get; }

        /// <summary>Words of which one must be there too; empty = none needed.</summary>
        public IReadOnlyList<string> SecondaryKeys { get; }

        /// <summary>Rule for the secondary keys: "any", "all", "not_any" or "not_all".</summary>
        public string Logic { get; }

        /// <summary>True = always known.</summary>
        public bool Constant { get; }

        /// <summary>Entries of a higher order stay when the budget is short.</summary>
        public double Order { get; }

        /// <summary>0 to 1.</summary>
        public double Probability { get; }

        /// <summary>True if capital letters of the keys matter.</summary>
        public bool CaseSensitive { get; }

        /// <summary>For people who edit the lorebook.</summary>
        public string Name { get; }

        /// <summary>What the other tool's file held and Callsheet does not use.</summary>
        public IReadOnlyDictionary<string, JsonValue> Extras { get; }
    }
}
