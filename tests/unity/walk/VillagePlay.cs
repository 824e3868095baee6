using System;
using System.IO;
using System.Linq;
using System.Reflection;
using Callsheet.Core;
using Callsheet.Samples;
using UnityEngine;
using UnityEngine.UIElements;

namespace Callsheet.Tests
{
    /// <summary>
    /// Plays the sample Village against a real server: <c>mono VillagePlay.exe URL FOLDER</c>, the folder being the
    /// sample's. Prints what has come about, line by line, and "passed" at the end.
    /// </summary>
    internal static class VillagePlay
    {
        private static VisualElement _root;

        private static int Main(string[] args)
        {
            try
            {
                ScriptableObject.CreateInstance<CallsheetSettings>().ServerUrl = args[0];
                PlayerLoop.EnterPlayMode(typeof(CallsheetClient).Assembly);
                Enter(args[1]);
                RealTime.Until(() => CallsheetClient.Instance.State == SessionState.Open, "a session");
                Talk();
                Listen();
                Walk();
                SaveAndLoad();
                PlayerLoop.Quit();
                RealTime.Print("passed");
                return 0;
            }
            catch (Exception e)
            {
                RealTime.Print("FAILED " + e + "\n" + string.Join("\n", Debug.Lines));
                return 1;
            }
        }

        private static void Enter(string folder)
        {
            new GameObject("Main Camera").AddComponent<Camera>();
            new GameObject("Ann").AddComponent<CallsheetPlayer>().gameObject.AddComponent<PlayerWalk>();
            new GameObject("well").AddComponent<Place>().transform.position = new Vector3(7, 0, 0);
            Villager("Ida", new Vector3(1, 0, 0), 0);
            Villager("Bram", new Vector3(3, 0, 0), 2);
            var ui = new GameObject("UI");
            UIDocument document = ui.AddComponent<UIDocument>();
            document.visualTreeAsset = VisualTreeAsset.FromUxml(File.ReadAllText(Path.Combine(folder, "Village.uxml")));
            _root = document.rootVisualElement;
            ui.AddComponent<Chat>();
            ui.AddComponent<Bubbles>();
            ui.AddComponent<SaveMenu>();
        }

        private static void Villager(string name, Vector3 position, float gossipEveryS)
        {
            var body = new GameObject(name);
            body.SetActive(false);
            body.transform.position = position;
            body.AddComponent<CallsheetNpc>().NpcId = name.ToLowerInvariant();
            body.AddComponent<Villager>();
            Gossip gossip = body.AddComponent<Gossip>();
            typeof(Gossip).GetField("everyS", BindingFlags.Instance | BindingFlags.NonPublic).SetValue(gossip, gossipEveryS);
            body.SetActive(true);
        }

        private static void Talk()
        {
            RealTime.Until(() => _root.Q<Label>("partner").text == "You talk to Ida.", "somebody near");
            Say("Good morning!");
            RealTime.Until(() => Log().Length == 2 && Log()[1].StartsWith("Ida: ") && Log()[1] != "Ida: ...", "an answer");
            RealTime.Print("Ida answers");
        }

        private static void Listen()
        {
            Npc ida = CallsheetClient.Instance.World.FindNpc("ida"), bram = CallsheetClient.Instance.World.FindNpc("bram");
            RealTime.Until(() => Heard(ida) == "Have you heard the news?" && ida.LastReply.IsComplete, "Bram begins a talk with Ida");
            string said = ida.LastReply.Text;
            RealTime.Until(() => Heard(bram) == said && bram.LastReply.IsComplete, "Bram answers what Ida said");
            RealTime.Until(() => Heard(ida) == bram.LastReply.Text, "Ida answers what Bram said");
            RealTime.Print("Ida and Bram talk");
        }

        private static void Walk()
        {
            Transform ida = CallsheetClient.Instance.Npcs.Single(npc => npc.NpcId == "ida").transform, well = Place.All.Single().transform;
            NpcAction walk = null;
            CallsheetClient.Instance.World.FindNpc("ida").Acted += action => walk = action.Name == "walk_to" ? action : walk;
            Say("Please walk to the well.");
            RealTime.Until(() => walk != null && walk.IsComplete, "Ida walks to the well");
            if (Vector3.Distance(ida.position, well.position) > 1.6f)
            {
                throw new InvalidOperationException("Ida says that she walked, and stands at " + ida.position);
            }
            RealTime.Print("Ida walks to the well");
        }

        private static void SaveAndLoad()
        {
            Click(_root.Q<Button>("open-saves"));
            Click(_root.Q<Button>("save"));
            RealTime.Until(() => Status() == "\"evening\" is saved." && Rows().Length == 1, "a save in the list");
            Click(Rows()[0][0]);
            RealTime.Until(() => Status() == "\"evening\" is loaded.", "the save is loaded");
            Click(Rows()[0][1]);
            RealTime.Until(() => Status() == "\"evening\" is deleted." && Rows().Length == 0, "no save any more");
            RealTime.Print("saved, loaded, deleted");
        }

        private static void Say(string line)
        {
            _root.Q<TextField>("line").value = line;
            Click(_root.Q<Button>("say"));
        }

        private static string Heard(Npc npc) => npc.LastReply == null ? null : npc.LastReply.Heard;

        private static string Status() => _root.Q<Label>("save-status").text;

        private static string[] Log() => _root.Q<ScrollView>("log").Children().Cast<Label>().Select(label => label.text).ToArray();

        private static Button[][] Rows() => _root.Q<ScrollView>("saves").Children().Select(row => row.Children().OfType<Button>().ToArray()).ToArray();

        private static void Click(Button button) => button.SendEvent(NavigationSubmitEvent.GetPooled());
    }
}
