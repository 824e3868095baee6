using System;
using System.Collections;
using System.Collections.Generic;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>
    /// Plays a game with the Unity layer against a real server: <c>mono WalkThrough.exe CHAPTER URL</c>.
    ///
    /// Prints what the gatekeeper says, one line a question, and "passed" at the end.
    /// </summary>
    internal static class WalkThrough
    {
        private static CallsheetNpc _keeper;
        private static Gate _gate;

        private static int Main(string[] args)
        {
            try
            {
                // As a build loads the project's settings, before the first scene.
                ScriptableObject.CreateInstance<CallsheetSettings>().ServerUrl = args[1];
                PlayerLoop.EnterPlayMode(typeof(CallsheetClient).Assembly);
                EnterScene();
                RealTime.Until(() => CallsheetClient.Instance.State == SessionState.Open, "a session");
                if (args[0] == "first")
                {
                    First();
                }
                else
                {
                    Second();
                }
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

        private static void First()
        {
            Ask("begun", "Please open the north gate.");
            RealTime.Until(() => _gate.Opened.Contains("north"), "the coroutine has come to its end");
            Ask("acted", "What do you know?");
            PlayerLoop.LoadScene();
            EnterScene();
            Ask("scene", "What do you know?");
            Wait(CallsheetSaves.Save("evening"));
            Ask("told", "The password is heron.");
            Ask("secret", "What do you know?");
            Wait(CallsheetSaves.Load("evening"));
            Ask("loaded", "What do you know?");
        }

        private static void Second()
        {
            Ask("restarted", "What do you know?");
            Ask("told", "The password is heron.");
            Ask("secret", "What do you know?");
            PlayerLoop.LoadScene();
            EnterScene();
            Ask("scene", "What do you know?");
            Wait(CallsheetSaves.Load("evening"));
            Ask("loaded", "What do you know?");
            Wait(_keeper.Forget());
            Ask("forgotten", "What do you know?");
        }

        private static void EnterScene()
        {
            var player = new GameObject("Ann");
            player.AddComponent<CallsheetPlayer>();
            var keeper = new GameObject("Keeper");
            keeper.SetActive(false);
            _gate = keeper.AddComponent<Gate>();
            _keeper = keeper.AddComponent<CallsheetNpc>();
            _keeper.NpcId = "keeper";
            _keeper.Persona = "You keep the gates of the town.";
            keeper.SetActive(true);
        }

        private static void Ask(string what, string text)
        {
            Reply reply = _keeper.Say(text);
            RealTime.Until(() => reply.IsComplete, what);
            RealTime.Print(what + ": " + (reply.State == ReplyState.Ended ? reply.Text : reply.Error.ToString()));
        }

        private static void Wait<T>(Answer<T> answer)
        {
            RealTime.Until(() => answer.IsComplete, typeof(T).Name);
            if (answer.Error != null)
            {
                throw new CallsheetException(answer.Error);
            }
        }

        internal sealed class Gate : MonoBehaviour
        {
            internal readonly List<string> Opened = new List<string>();

            [CallsheetAction("open_gate", "Opens a gate of the town.")]
            internal IEnumerator OpenGate([NamesFrom(nameof(Gates))] string gate)
            {
                yield return new WaitForSeconds(0.3f);
                Opened.Add(gate);
            }

            internal static string[] Gates => new[] { "north", "south" };
        }
    }
}
