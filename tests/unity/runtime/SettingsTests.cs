using System.Linq;
using System.Reflection;
using Callsheet.Core;
using Callsheet.Editor;
using NUnit.Framework;
using UnityEditor;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>The project's settings: found by the editor wherever they lie, and by a build.</summary>
    public class SettingsTests : PlayingFixture
    {
        [SetUp]
        public void Look()
        {
            AssetDatabase.Files.Clear();
            PlayerSettings.SetPreloadedAssets(new UnityEngine.Object[0]);
            CallsheetSettings.Preloaded = null;
            typeof(SettingsAsset).GetMethod("Register", BindingFlags.Static | BindingFlags.NonPublic).Invoke(null, null);
        }

        [TestCase("Assets/Resources/CallsheetSettings.asset")]
        [TestCase("Assets/Config/CallsheetSettings.asset")]
        [TestCase("Assets/Town/Server of the town.asset")]
        public void The_asset_is_found_wherever_it_lies_and_whatever_it_is_called(string path)
        {
            AssetDatabase.Files[path] = Settings("town");
            Npc("bob");
            Assert.That(CallsheetClient.Instance.Settings.World, Is.EqualTo("town"));
            Assert.That(Debug.Lines, Is.Empty);
        }

        [Test]
        public void Without_an_asset_the_defaults_hold()
        {
            Npc("bob");
            Assert.That(CallsheetClient.Instance.Settings.ServerUrl, Is.EqualTo(SessionOptions.DefaultUrl));
            Assert.That(Debug.Lines, Is.Empty);
        }

        [Test]
        public void Among_several_that_of_the_default_name_counts()
        {
            AssetDatabase.Files["Assets/A.asset"] = Settings("tests");
            AssetDatabase.Files["Assets/Z/CallsheetSettings.asset"] = Settings("town");
            Assert.That(CallsheetSettings.Load().World, Is.EqualTo("town"));
            Assert.That(Debug.Lines, Is.Empty);
        }

        [TestCase("Assets/B.asset", "Assets/A.asset", "Assets/A.asset")]
        [TestCase("Assets/B/CallsheetSettings.asset", "Assets/A/CallsheetSettings.asset", "Assets/A/CallsheetSettings.asset")]
        public void Several_that_could_be_meant_are_an_error_with_the_remedy(string one, string other, string used)
        {
            AssetDatabase.Files[one] = Settings("one");
            AssetDatabase.Files[other] = Settings("other");
            Assert.That(CallsheetSettings.Load(), Is.SameAs(AssetDatabase.Files[used]));
            string line = Debug.Lines.Single();
            Assert.That(line, Is.StringStarting("Error: [Callsheet] The project has several settings: "));
            Assert.That(line, Is.StringContaining(one).And.StringContaining(other).And.StringContaining(used + " is used."));
            Assert.That(line, Is.StringContaining("Keep the name CallsheetSettings.asset for one alone"));
        }

        [Test]
        public void An_asset_that_cannot_be_loaded_is_an_error_with_the_remedy()
        {
            AssetDatabase.Files["Assets/CallsheetSettings.asset"] = null;
            Assert.That(CallsheetSettings.Load().World, Is.EqualTo("default"));
            Assert.That(Debug.Lines.Single(), Is.StringContaining("Assets/CallsheetSettings.asset cannot be loaded: reimport it, or delete it"));
        }

        [Test]
        public void A_build_takes_the_asset_along_and_loads_it_before_any_scene()
        {
            CallsheetSettings settings = Settings("town"), stale = Settings("old");
            var others = ScriptableObject.CreateInstance<NotOurs>();
            AssetDatabase.Files["Assets/Config/Mine.asset"] = settings;
            PlayerSettings.SetPreloadedAssets(new UnityEngine.Object[] { stale, others });
            new SettingsAsset().OnPreprocessBuild(null);
            Assert.That(PlayerSettings.GetPreloadedAssets(), Is.EqualTo(new UnityEngine.Object[] { others, settings }));
            UnityEngine.Object[] before = PlayerSettings.GetPreloadedAssets();
            new SettingsAsset().OnPreprocessBuild(null);
            Assert.That(PlayerSettings.GetPreloadedAssets(), Is.SameAs(before), "the project's settings are not written again");

            CallsheetSettings.FindInProject = null;
            CallsheetSettings.Preloaded = null;
            CallsheetSettings loaded = Settings("town");
            Settings("of a client in the first scene");
            Npc("bob");
            Assert.That(CallsheetClient.Instance.Settings, Is.SameAs(loaded));
        }

        [Test]
        public void A_build_without_an_asset_has_the_defaults()
        {
            new SettingsAsset().OnPreprocessBuild(null);
            Assert.That(PlayerSettings.GetPreloadedAssets(), Is.Empty);
            CallsheetSettings.FindInProject = null;
            Npc("bob");
            Assert.That(CallsheetClient.Instance.Settings.World, Is.EqualTo("default"));
        }

        private static CallsheetSettings Settings(string world)
        {
            CallsheetSettings settings = ScriptableObject.CreateInstance<CallsheetSettings>();
            settings.World = world;
            return settings;
        }

        private sealed class NotOurs : ScriptableObject
        {
        }
    }
}
